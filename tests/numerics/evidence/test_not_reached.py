import pytest

from rare_neurons.numerics.evidence.not_reached import why_not_reached
from rare_neurons.numerics.evidence.tiers import reach_tier

ALONE = {"run": 0.001, "seeds": 0.002, "beyond_control": 0.002, "specific": 0.0005}


def why(tier, paid, alone=ALONE, **more):
    return why_not_reached(tier, reach_tier(paid, **more), p_values=alone, p_adjusted=paid, level=0.05)


def test_tiers_that_are_reached_need_no_reason():
    paid = {"run": 0.005, "seeds": 0.01, "beyond_control": 0.2, "specific": 0.001}
    assert [why(tier, paid) for tier in ("run", "seeds")] == ["", ""]
    assert [why(tier, dict.fromkeys(ALONE, 0.01)) for tier in ALONE] == [""] * 4


def test_what_is_paid_for_other_questions_is_named():
    paid = {"run": 0.005, "seeds": 0.01, "beyond_control": 0.063, "specific": 0.0005}
    assert why("beyond_control", paid) == (
        "beyond_control: p = 0.063 above 0.05; it is 0.002 of this question alone, before it pays for the others"
    )


def test_what_would_hold_alone_is_stopped_by_the_tier_before():
    paid = {"run": 0.005, "seeds": 0.3, "beyond_control": 0.002, "specific": 0.0005}
    alone = {**ALONE, "seeds": 0.3}
    stopped = "specific: does not count, since seeds is not reached (seeds: p = 0.3 above 0.05)"
    assert why("specific", paid, alone) == stopped


@pytest.mark.parametrize("tier", ["beyond_control", "specific"])
def test_a_tier_that_was_not_tested_stops_with_its_own_reason(tier):
    paid = {"run": 0.005, "seeds": 0.01, "beyond_control": None, "specific": 0.0005}
    alone = {**ALONE, "beyond_control": None}
    reason = "beyond_control: no control"
    assert reason in why(tier, paid, alone, reasons={"beyond_control": reason})
