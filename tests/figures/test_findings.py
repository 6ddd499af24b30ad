import pytest

from rare_neurons.configuration import dated_columns
from rare_neurons.figures.findings import load_findings, unit_of
from rare_neurons.numerics.evidence.rows import CourseRow
from tests.figures.questions import CONTROL, EVIDENCE, ONSETS, QUESTIONS, RUNS, SUBJECT, TURNS
from tests.figures.tree import write_evidence_tables


def test_findings_are_the_rows_of_each_panel(results):
    (found,) = load_findings(results, SUBJECT)
    assert (found.panel, found.n_runs, found.n_controls) == ("heldout", 2, 1)
    assert [one.question for one in found.questions] == list(QUESTIONS)
    first = found.questions[0]
    assert [row.run for row in first.runs] == list(RUNS)
    assert [row.run for row in first.controls] == [CONTROL]
    assert list(first.beyond) == ["seeds", "beyond_control"]
    assert sorted(found.onsets, key=repr) == sorted(ONSETS, key=repr)
    assert sorted(found.turns, key=repr) == sorted(TURNS, key=repr)


def test_panels_stand_apart_and_nothing_measured_is_nothing(tmp_path):
    rows = {"evidence": EVIDENCE, "onsets": ONSETS, "turns": TURNS, "courses": list[CourseRow]()}
    write_evidence_tables(tmp_path / "two", SUBJECT, ["one", "two"], rows)
    assert [found.panel for found in load_findings(tmp_path / "two", SUBJECT)] == ["one", "two"]
    write_evidence_tables(tmp_path / "none", SUBJECT, [], rows)
    assert load_findings(tmp_path / "none", SUBJECT) == []


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, columns in dated_columns().items() for c in columns])
def test_everything_that_may_be_asked_has_its_unit(table, column):
    assert unit_of(table, column)


def test_units_are_those_of_the_timeline():
    assert unit_of("behaviour", "loss") == "nats per token"
    assert unit_of("behaviour", "no_such") == unit_of("no_such", "loss") == ""
