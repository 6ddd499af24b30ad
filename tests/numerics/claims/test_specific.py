"""What both strata share by a factor is not specific, however large; what is not resolved is not judged."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from rare_neurons.numerics.claims.findings import Finding
from rare_neurons.numerics.claims.over_runs import over_runs
from rare_neurons.numerics.claims.specific import LOG, LOG_SHARE, SHARE, Pair, judge_specific
from rare_neurons.numerics.evidence.comparison import Decision

RISE = Decision(direction="rise")
TINY = 1e-6
"""Spread below which the scatter over runs decides."""


def pairs(first, second, *, spread=TINY, placebo=None):
    firsts, seconds = (
        [Finding(8, x, None if placebo is None else x * placebo, spread) for x in side] for side in (first, second)
    )
    return [Pair(a, b) for a, b in zip(firsts, seconds, strict=True)]


def test_over_runs_it_is_students_test_of_logarithms():
    found = judge_specific(pairs([2.0, 3.0, 5.0], [1.0, 1.0, 1.0]), pairs([1.0, 1.0], [9.0, 9.0]), decision=RISE)
    logs = np.log([2, 3, 5])
    assert found.unit == LOG
    assert found.comparison.estimate == pytest.approx(logs.mean())
    # The controls are far below, so that the comparison over runs decides.
    assert found.p_value == pytest.approx(ttest_1samp(logs, 0, alternative="greater").pvalue, rel=1e-3)


@pytest.mark.parametrize("factor", [1.0, 7.0])
def test_a_factor_that_strata_share_changes_nothing(factor):
    runs, controls = ([2.0, 2.2, 4.1], [1.0, 0.9, 1.6]), ([2.2, 2.1], [1.0, 1.1])
    plain = judge_specific(pairs(*runs), pairs(*controls), decision=RISE)
    grown = judge_specific(pairs(*[[factor * x for x in side] for side in runs]), pairs(*controls), decision=RISE)
    assert grown.p_value == pytest.approx(plain.p_value, rel=1e-6)
    assert grown.p_value > 0.05


def test_the_placebo_must_be_exceeded_too():
    runs, controls = ([20.0, 21.0, 19.0], [1.0, 1.1, 0.9]), ([1.0, 1.1], [1.0, 0.9])
    alone = judge_specific(pairs(*runs), pairs(*controls), decision=RISE)
    assert alone.p_value < 0.05
    assert judge_specific(pairs(*runs, placebo=0.5), pairs(*controls, placebo=0.5), decision=RISE).placebo == (
        pytest.approx(alone.comparison.estimate)
    )
    below = judge_specific(pairs(*runs, placebo=-0.1), pairs(*controls, placebo=-0.1), decision=RISE)
    assert (below.p_value, below.unit, below.placebo) == (None, None, None)
    assert (below.comparison.status, below.comparison.estimate) == ("not_resolved", None)
    assert (below.comparison.n_runs, below.comparison.n_controls) == (3, 2)
    assert below.comparison.reason.startswith("beyond the placebo, effects of 3 of 3 runs do not exceed")


@pytest.mark.parametrize(("second", "holds", "unit"), [(0.0, True, SHARE), (8.0, False, LOG_SHARE)])
def test_silent_controls_ask_for_more_than_the_allowed_growth_of_both(second, holds, unit):
    """Sixteen against eight may be general growth of what was twice as large from the start."""
    runs = pairs([16.0, 16.5, 15.5], [second] * 3, spread=0.5)
    found = judge_specific(runs, pairs([0.1, -0.2], [0.2, 0.1], spread=0.5), decision=RISE)
    assert found.unit == unit
    assert (found.p_value <= 0.05) == holds


def test_silent_controls_and_both_strata_resolved_are_compared_by_logarithms():
    runs, silent = ([40.0, 80.0, 60.0], [1.0, 1.5, 2.0]), ([0.1, -0.2], [0.2, 0.1])
    found = judge_specific(pairs(*runs, spread=0.3), pairs(*silent, spread=0.3), decision=RISE)
    assert found.unit == LOG_SHARE
    assert found.comparison.estimate == pytest.approx(np.log(np.array(runs[0]) / (4 * np.array(runs[1]))).mean())


def test_a_minimal_effect_is_of_the_row_s_unit():
    """The test against controls is of shares, and noisier here than that over runs."""
    runs, controls = ([40.0, 80.0, 60.0], [20.0, 20.0, 20.0]), ([3.0, 3.2], [0.5, 0.6])
    found = judge_specific(pairs(*runs, spread=1.0), pairs(*controls, spread=1.0), decision=RISE)
    logs = [Finding(8, float(np.log(x / 80)), spread=0.0) for x in runs[0]]
    assert found.unit == LOG_SHARE
    assert found.comparison.minimal_effect == pytest.approx(over_runs(logs, decision=RISE).comparison.minimal_effect)


def test_a_placebo_of_another_form_has_no_estimate():
    runs = [Pair(Finding(8, x, x, 0.5), Finding(8, 4.0, 0.0, 0.5)) for x in (36.0, 42.0, 48.0)]
    controls = [Pair(Finding(8, 4.0, 0.0, 0.5), Finding(8, 4.0, 0.0, 0.5))] * 2
    found = judge_specific(runs, controls, decision=RISE)
    assert (found.unit, found.placebo) == (LOG, None)
    assert found.p_value < 0.05


def test_controls_resolved_on_the_first_stratum_alone_have_shares_too():
    """The share of such a control is near that of the runs: all of it may be a growth of both by one factor."""
    runs, controls = ([80.0, 84.0, 76.0], [4.0, 4.2, 3.8]), ([20.0, 21.0], [1.0, 1.1])
    found = judge_specific(pairs(*runs, spread=1.0), pairs(*controls, spread=1.0), decision=RISE)
    assert found.unit == LOG_SHARE
    assert found.p_value > 0.3


def test_one_control_that_is_not_resolved_leaves_no_logarithms():
    """Leaving it out would choose among controls by what they show."""
    runs, controls = ([80.0, 84.0, 76.0], [8.0, 8.4, 7.6]), ([20.0, 21.0, 19.0], [4.0, 4.1, 1.9])
    found = judge_specific(pairs(*runs, spread=1.0), pairs(*controls, spread=1.0), decision=RISE)
    assert found.unit == LOG_SHARE
    every = (controls[0], [4.0, 4.1, 2.1])
    assert judge_specific(pairs(*runs, spread=1.0), pairs(*every, spread=1.0), decision=RISE).unit == LOG


def test_what_is_not_resolved_is_not_judged():
    found = judge_specific(pairs([9.0, 9.0, 1.9], [1.0] * 3, spread=1.0), pairs([9.0] * 2, [9.0] * 2), decision=RISE)
    assert (found.comparison.status, found.p_value, found.unit) == ("not_resolved", None, None)
    assert found.comparison.reason.startswith("effects of 1 of 3 runs do not exceed 2 standard deviations")


def test_too_few_runs_or_controls_say_so():
    blank = Pair(Finding(8, reason="covariates choose it"), Finding(8, 1.0, spread=1.0))
    few = judge_specific([*pairs([1.0] * 2, [1.0] * 2), blank], pairs([1.0] * 2, [1.0] * 2), decision=RISE)
    assert few.comparison.status == "too_few_runs"
    assert few.comparison.reason.endswith("3 are needed: covariates choose it")
    one = judge_specific(pairs([1.0] * 3, [1.0] * 3), pairs([1.0], [1.0]), decision=RISE)
    assert (one.comparison.status, one.p_value) == ("too_few_controls", None)


def grown(rng, base, factors, n):
    """Sets of n runs in which everything grows alike but for some scatter, with the noise of single sets."""
    logs = 0.3 * rng.normal(size=(n, 1)) + 0.1 * rng.normal(size=(n, 2))
    effects = np.array(base) * np.array(factors) * np.exp(logs)
    z = effects[..., None] + rng.normal(size=(n, 2, 2))
    return [Pair(*(Finding(8, beyond, placebo, 1.0) for beyond, placebo in run)) for run in z.tolist()]


@pytest.mark.parametrize(
    ("base", "factors", "least", "most"),
    [
        ((10.0, 5.0), (4.0, 4.0), 0.0, 0.07),
        ((0.5, 0.25), (40.0, 40.0), 0.0, 0.07),
        ((4.0, 2.0), (4.0, 4.0), 0.0, 0.07),
        ((20.0, 1.0), (4.0, 4.0), 0.0, 0.07),
        ((20.0, 2.0), (4.0, 4.0), 0.0, 0.07),
        ((20.0, 10.0), (4.0, 2.0), 0.8, 1.0),
    ],
    ids=[
        "twice on rare tokens from the start",
        "controls silent",
        "controls near the noise",
        "common tokens of controls silent",
        "common tokens of controls near the noise",
        "rare part doubled",
    ],
)
def test_general_growth_is_not_specific_and_a_doubled_part_is(base, factors, least, most):
    """`benchmarks/calibration/organisation_claims.py` has more worlds; a difference finds the first in .7 of draws."""
    rng = np.random.default_rng(0)
    p_values = [
        judge_specific(grown(rng, base, factors, 3), grown(rng, base, (1.0, 1.0), 3), decision=RISE).p_value
        for _ in range(150)
    ]
    # Two standard errors of 150 draws are .035 at .05: the share seen is .01 or less.
    assert least <= np.mean([p is not None and p <= 0.05 for p in p_values]) <= most
