from rare_neurons.atlas import builder
from rare_neurons.stages.atlas import write_atlas
from tests.atlas.conftest import atlas_results as atlas_results
from tests.figures.questions import CONTROL, RUNS, SUBJECT


def test_the_page_is_written_whole_and_about_whom_it_is_asked(tmp_path, atlas_results, monkeypatch):
    monkeypatch.setattr(builder, "_vega", lambda: "/* libraries */")
    subjects = {SUBJECT: {"runs": list(RUNS[:1]), "controls": [CONTROL]}}
    output = tmp_path / "atlas.html"
    write_atlas(str(output), results=str(atlas_results), subjects=subjects, panel="heldout")
    text = output.read_text()
    assert text.endswith("</body></html>\n")
    assert f"array:neurons/whole:{RUNS[0]}" in text
    assert f"array:neurons/whole:{RUNS[1]}" not in text
    assert list(tmp_path.iterdir()) == [output]
