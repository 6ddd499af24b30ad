"""Sentences say what was reached, what would have been found, and that nothing found is no absence."""

from dataclasses import replace

from rare_neurons.numerics.claims.questions import CO_ACTIVATION, KINDS, ORGANISATION, ROUTING, SCORE, SHARE
from rare_neurons.numerics.claims.rows import ANY, START, ActivityEvidenceRow
from rare_neurons.numerics.wording.activity import OPEN, describe_activity

SET = ActivityEvidenceRow(
    declared=1,
    question=CO_ACTIVATION,
    stratum="rare",
    sign="all",
    run="s",
    role="all",
    tier="seeds",
    family=ORGANISATION,
    primary=True,
    step=1000,
    unit="r²",
    estimate=0.05,
    low=0.01,
    high=0.09,
    placebo_estimate=-0.02,
    p_value=0.4,
    p_adjusted=1.0,
    minimal_effect=0.08,
    holds=False,
    reached=None,
    n_runs=3,
    n_controls=0,
    status="tested",
    reason=None,
)
KIND = replace(
    SET, declared=5, question="kind: token_detector", stratum=ANY, family=KINDS, unit=SHARE, placebo_estimate=None
)


def test_what_is_not_reached_is_said_with_what_would_have_been_found():
    said, last = describe_activity([SET])
    assert "rare tokens: +0.05 [+0.01, +0.09] r² beyond matched sets, -0.02 beyond the placebo; no claim" in said
    assert "(p = 1 paid for), 0.08 would have been found if asked alone." in said
    assert last == OPEN


def test_what_is_reached_is_said_with_its_tier_and_with_step_0():
    found = replace(SET, reached="beyond_control", holds=True)
    (said,) = describe_activity([found])
    assert said.endswith("it holds for other seeds and goes beyond that of the controls.")
    (said,) = describe_activity([found, replace(found, tier=START)])
    assert said.endswith(", and at step 0 too.")


def test_sets_of_one_sign_are_told_where_something_is_reached():
    boost = replace(SET, declared=2, sign="boost")
    assert "Not reached either: co-activation of boost sets." in describe_activity([SET, boost])
    assert "Co-activation, rare tokens, boost set:" in describe_activity([replace(boost, reached="run")])[0]


def test_a_score_has_no_unit_and_one_run_speaks_for_itself():
    routing = replace(SET, question=ROUTING, unit=SCORE, tier="run", role="run", placebo_estimate=None)
    assert (
        describe_activity([routing])[0]
        == "Routing, rare tokens: normal score of the furthest head +0.05 (0 by chance); no claim (p = 1 paid for)."
    )


def test_a_set_that_cannot_be_judged_says_why():
    blank = replace(SET, estimate=None, reason="covariates choose it")
    assert describe_activity([blank])[0].endswith("not judged (covariates choose it).")


def test_kinds_that_are_not_more_share_a_sentence():
    dead = replace(KIND, declared=6, question="kind: dead", minimal_effect=0.04)
    alone = {"tier": "run", "role": "run", "run": "a", "minimal_effect": 0.08}
    said, _ = describe_activity([KIND, replace(KIND, **alone), dead])
    assert "at step 0: token detector and dead; a rise by 8 % of the neurons" in said
    assert "would be found in one run if nothing else were asked" in said
    said, *_ = describe_activity([replace(dead, reached="seeds"), KIND])
    assert said == "Dead neurons, more than at step 0 by +5 % of the neurons; it holds for other seeds."
