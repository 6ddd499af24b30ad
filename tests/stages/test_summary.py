import pyarrow.parquet as pq
import pytest

from rare_neurons.figures.findings import unit_of
from rare_neurons.stages.summary import write_summary
from rare_neurons.tables import empty_table, write_rows
from tests.figures.questions import EVIDENCE, ONSETS, QUESTIONS, TURNS
from tests.figures.tree import RUNS, SUBJECT, write_evidence_tables, write_tree


@pytest.fixture
def results(tmp_path):
    return write_tree(tmp_path / "results")


def summary(results, tmp_path, models=RUNS):
    outputs = (str(tmp_path / "summary.txt"), str(tmp_path / "summary.rst"))
    write_summary(*outputs, results=str(results), figures="results/figures", subjects={SUBJECT: models})
    return (tmp_path / "summary.txt").read_text()


def rows(text):
    """Cells of the lines of a printed table."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if line.startswith("│")]


def sentences(text):
    """Paragraphs after a bullet, unwrapped."""
    body = text.split("(two runs, one control)")[1].split(", by tier:")[0].rsplit("\n", 1)[0]
    return [" ".join(part.split()) for part in body.split("•")[1:]]


def test_the_summary_tells_checkpoints(results, tmp_path, capsys):
    text = summary(results, tmp_path)
    assert capsys.readouterr().err.splitlines()[0].strip() == text.splitlines()[0].strip() == "Checkpoints"
    assert rows(text.split("└")[0]) == [["a", "a-seed0", "4", "0", ""], ["a", "a-seed1", "3", "1", "step 16: detour"]]
    assert text.rstrip().endswith("Figures: results/figures/")


def test_the_introduction_of_the_report_has_the_same_sentences_and_tables(results, tmp_path):
    text = " ".join(summary(results, tmp_path).split())
    lines = (tmp_path / "summary.rst").read_text().splitlines()
    told = [line.removeprefix("* ") for line in lines if line.startswith("* ")]
    assert told
    assert all(one.replace("\\", "") in text for one in told)
    assert sum(line.startswith(".. list-table::") for line in lines) == 2


def test_a_warning_is_told_of_a_checkpoint_that_is_kept(results, tmp_path):
    path = results / "integrity/a-seed0.parquet"
    table = pq.read_table(path)
    status = ["above_unigram" if step == table["step"][-1] else "ok" for step in table["step"]]
    pq.write_table(
        table.set_column(table.schema.get_field_index("status"), table.schema.field("status"), [status]), path
    )
    (row, _) = rows(summary(results, tmp_path).split("└")[0])
    assert row[2:4] == ["4", "0"]
    assert row[4].endswith(": above_unigram")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("that of the panel, written otherwise", ""),
        ("none: tokenizer.json is not there", "tokenizer: none: tokenizer.json is not there"),
    ],
)
def test_a_tokenizer_that_is_not_the_panels_is_told(results, tmp_path, said, told):
    name = "behaviour"
    path = results / "behaviour/p/a-seed0/step16.parquet"
    write_rows(name, empty_table(name), path, {"status": "ok", "tokenizer": said})
    (row, _) = rows(summary(results, tmp_path).split("└")[0])
    assert " ".join(row[4].split()) == told


def test_every_question_has_its_sentences(results, tmp_path):
    smallest = f"0.12 {unit_of('moments', 'mean_influence_within')}".strip()
    few = "What other seeds would show is not judged: 2 runs, but other seeds can be judged from 3 on."
    assert sentences(summary(results, tmp_path)) == [
        "Loss on rare tokens rises from step 0 to 2 and falls from step 8 to 16: found in both runs but not in the one "
        f"control (p = 0.02). Half of the fall is reached after step 0 and by step 8, in both runs. {few}",
        f"Mean influence on rare tokens: no change is found in either run (p = 0.4). A change by {smallest} "
        "would have been found in four of five cases.",
        "Loss on common tokens falls from step 0 to 8: found in both runs and in the one control too (p = 0.001). Half "
        f"of the fall is reached after step 0 and by step 2, in both runs. {few}",
    ]


def test_a_table_has_every_tier_of_every_question(results, tmp_path):
    table = rows(summary(results, tmp_path).split(", by tier:")[1])
    assert [row[0] for row in table if row[0]] == list(QUESTIONS)
    few = "2 runs, but other seeds can be"  # and so on, in the next line
    assert [row[1:] for row in table if row[1]] == [
        ["run", "●", "in 2 of 2 runs", "0.02", ""],
        ["seeds", "–", "", "", few],
        ["beyond control", "–", "", "", few],
        ["run", "○", "in 0 of 2 runs", "0.4", "more than half must show it"],
        ["seeds", "–", "", "", few],
        ["beyond control", "–", "", "", few],
        ["run", "●", "in 2 of 2 runs", "0.001", ""],
        ["seeds", "–", "", "", few],
        ["beyond control", "–", "", "", few],
    ]


def test_of_one_run_the_table_has_the_estimate_and_nothing_beyond(results, tmp_path):
    alone = [row for row in EVIDENCE if row.run == RUNS[0] and row.question == QUESTIONS[0]]
    more = {"onsets": ONSETS, "turns": TURNS, "courses": []}
    write_evidence_tables(results, SUBJECT, ["heldout"], {"evidence": alone, **more})
    text = summary(results, tmp_path, RUNS[:1])
    assert "a (one run, no controls; one run says nothing of other seeds)" in text
    expected = [[QUESTIONS[0], "run", "●", "-1.5 [-2, -1] nats per token", "0.01", ""]]
    assert rows(text.split(", by tier:")[1]) == expected


def test_a_subject_of_which_nothing_could_be_measured_has_checkpoints_only(results, tmp_path):
    none = dict.fromkeys(("evidence", "onsets", "turns", "courses"), ())
    write_evidence_tables(results, SUBJECT, [], none)
    text = summary(results, tmp_path)
    assert "Checkpoints" in text
    assert "by tier" not in text
