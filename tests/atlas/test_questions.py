import pytest

from rare_neurons.atlas.questions import by_slot, facts_of, findings_of, first_up, judged
from rare_neurons.atlas.tree import Tree
from rare_neurons.atlas.view import NothingToShow
from tests.figures.questions import QUESTIONS, SUBJECT


def test_every_question_has_a_slot_in_declared_order(tree):
    assert {slot: one.question for slot, one in by_slot(tree)} == {
        f"q{place}": question for place, question in enumerate(QUESTIONS, start=1)
    }


def test_a_question_knows_its_stratum_and_unit(tree):
    (_, standing), *_ = by_slot(tree)
    assert facts_of(standing) == {"question": QUESTIONS[0], "stratum": "rare", "unit": "nats per token"}


def test_findings_are_those_of_the_panel(tree):
    assert findings_of(tree, tree.subjects[0]).panel == "heldout"
    assert list(judged(tree)) == [SUBJECT]


def test_without_evidence_it_is_said(tree):
    with pytest.raises(NothingToShow, match="Nothing was judged"):
        judged(Tree(tree.results, tree.subjects, "other"))


def test_of_weights_alone_no_question_is_asked(tree):
    with pytest.raises(NothingToShow, match="questions are asked of models that were measured on a panel's text"):
        judged(Tree(tree.results, tree.subjects, None))


def test_a_line_begins_with_a_capital():
    assert first_up("loss on rare tokens") == "Loss on rare tokens"
    assert first_up("") == ""
