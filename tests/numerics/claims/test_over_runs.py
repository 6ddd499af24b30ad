"""Runs are the unit: few of them, or ones that happen to agree, make no claim; the placebo must be exceeded too."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import t as student_t
from scipy.stats import ttest_1samp, ttest_ind

from rare_neurons.numerics.claims.findings import Finding
from rare_neurons.numerics.claims.over_runs import beyond_controls, over_runs
from rare_neurons.numerics.evidence.comparison import Decision

RISE, EITHER = Decision(direction="rise"), Decision()


def runs(values, placebo=None, spread=1e-3):
    placebos = [None] * len(values) if placebo is None else placebo
    return [Finding(8, v, p, spread) for v, p in zip(values, placebos, strict=True)]


def test_without_a_least_variance_it_is_students_test_and_welchs():
    own, other = [1.0, 2.0, 4.0], [0.5, 0.9]
    assert over_runs(runs(own), decision=EITHER).p_value == pytest.approx(ttest_1samp(own, 0).pvalue)
    expected = ttest_ind(own, other, equal_var=False, alternative="greater").pvalue
    assert beyond_controls(runs(own), runs(other), decision=RISE).p_value == pytest.approx(expected)


def test_runs_that_happen_to_agree_scatter_like_single_sets():
    found = over_runs(runs([1.0, 1.001, 0.999], spread=0.6), decision=RISE)
    assert found.comparison.standard_error == pytest.approx(0.6 / 3**0.5)


def test_the_placebo_must_be_exceeded_too():
    strong = [1.0, 1.1, 0.9]
    assert over_runs(runs(strong, [1.0, 1.1, 0.9]), decision=RISE).p_value < 0.01
    beside = over_runs(runs(strong, [-0.1, 0.2, 0.1]), decision=RISE)
    assert beside.p_value == pytest.approx(ttest_1samp([-0.1, 0.2, 0.1], 0, alternative="greater").pvalue)
    assert beside.placebo == pytest.approx(0.2 / 3)
    # Above its like and below the placebo is neither a rise nor a fall.
    assert over_runs(runs(strong, [-1.0, -1.1, -0.9]), decision=EITHER).p_value > 0.9


@pytest.mark.parametrize("n", [0, 2])
def test_too_few_runs_or_controls_say_so(n):
    few = [*runs([1.0] * n), Finding(8, reason="covariates choose it")]
    found = over_runs(few, decision=RISE)
    assert (found.comparison.status, found.p_value) == ("too_few_runs", None)
    assert "covariates choose it" in found.comparison.reason
    control = beyond_controls(runs([1.0, 2.0, 3.0]), runs([1.0]), decision=RISE)
    assert control.status == "too_few_controls"


def test_the_minimal_effect_is_found_in_four_of_five_cases():
    rng = np.random.default_rng(0)
    judged = [(x, over_runs(runs(x, spread=1e-9), decision=RISE).comparison) for x in rng.normal(size=(400, 3))]
    # Told from one set of runs, asked of the next: the test finds what exceeds t standard errors of its own.
    found = [
        x.mean() + before.minimal_effect > student_t.isf(0.05, 2) * own.standard_error
        for (_, before), (x, own) in pairwise(judged)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)  # three standard errors of 400 draws
