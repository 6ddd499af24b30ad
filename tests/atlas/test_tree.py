import numpy as np
import pytest

from rare_neurons.atlas.tree import Subject, Tree, find_subjects
from rare_neurons.atlas.view import NothingToShow
from tests.atlas.conftest import TOKENS_OF_STEP
from tests.figures.questions import CONTROL, EVIDENCE, RUNS, STEPS, SUBJECT, of_tier
from tests.figures.tree import HELD, STRATA, loss, write, write_evidence_tables, write_tree


def test_subjects_are_found_by_their_evidence(tree):
    assert find_subjects(tree.results) == [Subject(SUBJECT, RUNS, (CONTROL,))]


def test_what_is_a_control_elsewhere_comes_last_and_a_model_alone_stands_by_itself(tmp_path):
    results = write_tree(tmp_path / "results")
    own = [of_tier("loss on rare tokens", "run", CONTROL, "run", holds=False, p=0.5)]
    write_evidence_tables(results, "Z", ("heldout",), {"evidence": EVIDENCE})
    write_evidence_tables(results, "A-of-controls", ("heldout",), {"evidence": own})
    write(results, "integrity/alone.parquet", [{"model": "alone", "step": 0, "status": "ok", "quarantined": False}])
    assert [one.name for one in find_subjects(results)] == ["Z", SUBJECT, "A-of-controls", "alone"]


def test_strata_stand_in_the_order_of_their_counts_or_as_they_were_measured(tree):
    assert tree.strata == list(STRATA)
    without = Tree(tree.results, tree.subjects, "no such panel")
    assert without.strata == []


def test_every_script_knows_steps_tokens_loss_and_verdicts(tree):
    known = tree.facts()["models"][HELD[0]]
    assert known["steps"] == list(STEPS)
    assert known["tokens"] == [step * TOKENS_OF_STEP for step in STEPS]
    # Strata weigh as much as their share of the training distribution, 3 to 1.
    expected = [np.average([loss(HELD[0], step, one) for one in STRATA], weights=[3, 1]) for step in STEPS]
    assert known["loss"] == pytest.approx(expected)
    assert known["quarantined"] == [step == HELD[1] for step in STEPS]


def test_a_table_that_is_not_there_is_said_with_what_asks_for_it(tree):
    with pytest.raises(
        NothingToShow, match=r"Not in this results tree: timelines/allocation; the section 'allocation'"
    ):
        Tree(tree.results, tree.subjects, "other").timeline("allocation", tree.models)
    with pytest.raises(NothingToShow, match=r"Not in this results tree: timelines/heads\.$"):
        tree.timeline("heads", tree.models)
    assert tree.timeline("heads", tree.models, needed=False).empty


def test_shards_are_those_of_the_model_and_the_panel(tree):
    assert list(tree.shards("influence", RUNS[0])) == list(STEPS)
    assert Tree(tree.results, tree.subjects, "other").shards("influence", RUNS[0]) == {}


def test_without_verdicts_there_is_nothing(tmp_path):
    with pytest.raises(NothingToShow, match="No checkpoint has a verdict"):
        Tree(tmp_path, [Subject("m", ("m",))]).integrity  # noqa: B018


def test_steps_are_those_asked_for(tree):
    assert tree.steps(HELD[0]) == list(STEPS)


def test_no_stratum_is_grey_as_controls_are(tree, monkeypatch):
    monkeypatch.setattr(Tree, "strata", ["common", "mid", "rare", "seldom", "never"])
    colours = [colour.lstrip("#") for colour in tree.colours.values()]
    assert all(len({colour[:2], colour[2:4], colour[4:]}) > 1 for colour in colours)
    assert len(set(colours)) == len(colours)


def test_an_infinite_loss_is_unknown(tree, monkeypatch):
    table = tree.timeline("behaviour", [RUNS[0]]).copy()
    table.loc[table.step == STEPS[1], "loss"] = np.inf
    monkeypatch.setattr(Tree, "timeline", lambda *_, **__: table)
    assert tree.facts()["models"][RUNS[0]]["loss"][1] is None
