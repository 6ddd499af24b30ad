from rare_neurons.stages.summary import write_summary
from tests.figures.tree import RUNS, SUBJECT, write_tree


def rows(text, first):
    """Cells of the lines of a printed table, by their first words."""
    found = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if line.startswith("│")]
    return [row for row in found if row[0] == first]


def test_the_summary_tells_checkpoints_and_onsets(tmp_path, capsys):
    results = write_tree(tmp_path / "results")
    write_summary(str(tmp_path / "summary.txt"), results=str(results), subjects={SUBJECT: RUNS})
    text = (tmp_path / "summary.txt").read_text()
    assert capsys.readouterr().err.splitlines()[0].strip() == text.splitlines()[0].strip() == "Checkpoints"
    checkpoints, onsets = text.split("└")[:2]
    assert rows(checkpoints, SUBJECT) == [
        ["a", "a-seed0", "4", "0", ""],
        ["a", "a-seed1", "3", "1", "step 16: detour"],
    ]
    assert rows(onsets, SUBJECT) == [
        ["a", "loss on rare tokens", "2 – 8", "-1.5", "0.010", "2"],
        ["a", "influence on rare tokens", "not detected", "", "0.300", "2"],
        ["a", "influence on common tokens", "too few steps", "", "0.300", "2"],
    ]
    assert text.rstrip().endswith(f"{results}/figures/")
