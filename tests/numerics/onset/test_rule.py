"""The declared rule: what it refuses, and the line that the tables carry."""

import pytest

from rare_neurons.numerics.onset.rule import OnsetRule


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "up"}, "unknown direction 'up'; known: rise, fall, either"),
        ({"grid": "log"}, "unknown grid 'log'; known: doublings, all"),
        ({"baseline": 0}, "baseline=0 and persistence=2 must be at least 1"),
        ({"fraction": 0.0}, r"fraction=0\.0 must lie in \(0, 1\]"),
        ({"level": 5}, r"level=5 must lie in \(0, 1\)"),
    ],
)
def test_a_wrong_rule_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        OnsetRule(**options)


def test_the_rule_says_itself_in_one_line():
    plain = "rise from the first 1, held for 2, dated at 0.5 of the change, tested at doublings at 5 %"
    assert str(OnsetRule()) == plain
    assert "dated at level 0.25" in str(OnsetRule(threshold=0.25))
