from benchmarks.atlas_tree import PANEL, SMALL, write_tree
from rare_neurons.atlas import builder
from rare_neurons.stages.atlas import write_atlas


def test_the_page_is_written_whole_and_about_whom_it_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(builder, "_vega", lambda: "/* libraries */")
    write_tree(tmp_path / "results", SMALL)
    one, other = SMALL.runs
    output = tmp_path / "made/atlas.html"
    subjects = {SMALL.subject: {"runs": [one], "controls": list(SMALL.controls)}}
    write_atlas(str(output), results=str(tmp_path / "results"), subjects=subjects, panels=[PANEL])
    text = output.read_text()
    assert text.endswith("</body></html>\n")
    assert f"array::neurons/whole:{one}" in text
    assert f"array::neurons/whole:{other}" not in text
    assert list(output.parent.iterdir()) == [output]
