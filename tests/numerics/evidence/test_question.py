import pytest

from rare_neurons.numerics.evidence.question import Question, Rule


def test_a_rule_decides_single_comparisons_by_its_own_numbers():
    decision = Rule(level=0.1, confidence=0.8, power=0.7).decision("rise")
    assert (decision.level, decision.confidence, decision.direction, decision.power) == (0.1, 0.8, "rise", 0.7)


def test_a_rule_out_of_range_makes_no_decision():
    with pytest.raises(ValueError, match="must lie in"):
        Rule(level=1.5).decision("rise")


def test_a_question_asks_for_either_direction_and_nothing_specific_unless_told():
    question = Question("q", "behaviour", "loss", "rare")
    assert (question.direction, question.primary, question.against) == ("either", False, None)
