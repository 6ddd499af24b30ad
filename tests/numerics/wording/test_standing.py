import pytest

from rare_neurons.numerics.wording.standing import FAILS, HOLDS, NOT_JUDGED, standings
from tests.numerics.evidence.rows_made import evidence, of_runs

LATER = ("seeds", "beyond_control", "specific")


def standing(runs, **later):
    """Standing of one question: flags of the runs, and whether each later tier that is asked holds."""
    tiers = [
        evidence(tier, holds=held is True, p_adjusted=None if held is None else 0.03) for tier, held in later.items()
    ]
    (found,) = standings([*of_runs(*runs), *of_runs(False, role="control"), *tiers])
    return found


@pytest.mark.parametrize(
    ("flags", "holds"),
    [((True,), True), ((True, False), False), ((True, True, False), True), ((True, True, False, False), False)],
)
def test_more_than_half_of_the_runs_make_the_first_tier(flags, holds):
    found = standing(flags)
    assert found.holds("run") == holds
    # The p that more than half of the runs are at or below decides in the same way.
    assert (found.p_value("run") <= 0.05) == holds
    assert found.found == tuple(f"run{k}" for k, held in enumerate(flags) if held)


def test_a_tier_counts_only_after_those_before_it():
    climbed = standing((True,) * 3, seeds=True, beyond_control=False, specific=True)
    assert climbed.reached == "seeds"
    assert [climbed.mark(tier) for tier in ("run", *LATER)] == [HOLDS, HOLDS, FAILS, FAILS]
    assert standing((False,) * 3, seeds=True).reached is None
    assert standing((False,) * 3, seeds=True).mark("seeds") == FAILS


def test_what_is_not_asked_or_not_tested_is_not_judged():
    found = standing((True,) * 3, seeds=None)
    assert [found.mark(tier) for tier in LATER] == [NOT_JUDGED] * 3
    assert [found.p_value(tier) for tier in LATER] == [None] * 3
    assert found.reached == "run"


def test_a_tier_that_is_not_asked_ends_the_climb():
    found = standing((True,) * 3, seeds=True, beyond_control=True)
    assert found.reached == "beyond_control"
    assert not found.holds("specific")


def test_questions_come_in_declared_order():
    rows = [evidence("run", "r", "run", declared=k, question=name) for k, name in ((2, "b"), (1, "c"), (3, "a"))]
    assert [one.question for one in standings(rows)] == ["c", "b", "a"]
    assert standings([]) == []


def test_every_tier_that_is_not_reached_says_why():
    found = standing((True,) * 3, seeds=True, beyond_control=False, specific=False)
    assert [found.why_not(tier) for tier in ("run", *LATER)] == [
        "",
        "",
        "p is above the level",
        "beyond control is not reached",
    ]
    assert standing((True, False, False), seeds=False).why_not("run") == "more than half must show it"
    assert standing((True, False, False), seeds=False).why_not("seeds") == "run is not reached"
    assert standing((False,)).why_not("run") == "p is above the level"


def test_what_is_not_judged_says_why_there_is_no_test():
    (found,) = standings(
        [
            *of_runs(True, True),
            evidence("seeds", holds=False, p_adjusted=None, status="too_few_runs", reason="2 runs, but 3 are needed"),
            evidence("specific", holds=False, p_adjusted=None, reason="means are compared; no control"),
        ]
    )
    assert found.why_not("seeds") == "2 runs, but 3 are needed"
    assert found.why_not("specific") == "no control"
    assert found.why_not("beyond_control") == "no test was possible"
    nothing = standings([evidence("seeds", holds=False, p_adjusted=None)])[0]
    assert nothing.why_not("run") == "no checkpoint of its runs could be measured"
