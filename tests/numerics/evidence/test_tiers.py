import pytest

from rare_neurons.numerics.evidence.tiers import TIERS, reach_tier


@pytest.mark.parametrize(
    ("p_values", "tier", "words"),
    [
        ((0.001, 0.01, 0.03, 0.04), "specific", ""),
        ((0.001, 0.01, 0.2, 0.001), "seeds", "beyond_control: p = 0.2 above 0.05"),
        ((0.5, 0.01, 0.01, 0.01), None, "run: p = 0.5"),
    ],
)
def test_a_tier_counts_only_if_those_before_it_hold(p_values, tier, words):
    found = reach_tier(dict(zip(TIERS, p_values, strict=True)))
    assert found.tier == tier
    assert found.reason.startswith(words)


def test_what_could_not_be_tested_stops_the_climb_with_its_reason():
    found = reach_tier({"run": 0.001, "seeds": None}, reasons={"seeds": "2 runs"})
    assert (found.tier, found.p_value, found.reason) == ("run", 0.001, "2 runs")


def test_a_tier_that_is_not_asked_is_passed_over():
    assert reach_tier({"seeds": 0.01, "beyond_control": 0.01}).tier == "beyond_control"


def test_unknown_tiers_are_refused():
    with pytest.raises(ValueError, match="known: run, seeds"):
        reach_tier({"sure": 0.1})
    with pytest.raises(ValueError, match="none"):
        reach_tier({})
