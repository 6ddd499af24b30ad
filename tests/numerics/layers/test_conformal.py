"""Intervals hold what they promise, whatever the errors' distribution."""

import numpy as np
import pytest

from rare_neurons.numerics.layers.conformal import conformal_intervals, fewest_audited


def test_cover_is_at_least_the_confidence_and_not_far_above():
    rng = np.random.default_rng(0)
    m, n, covered = 19, 200, []
    for _ in range(400):
        scale = rng.lognormal(0, 1, n)
        error = 3.7 * scale * rng.standard_t(3, n)  # the scale is wrong by a factor, and tails are heavy
        order = rng.permutation(n)
        found = conformal_intervals(scale, audited=order[:m], error=error[order[:m]], confidence=0.9)
        covered.append(np.mean(np.abs(error) <= found.half_width, where=np.isin(np.arange(n), order[m:])))
    # Expected 18/20; a mean over 400 splits of sd 0.07 each.
    assert np.mean(covered) == pytest.approx(0.9, abs=0.012)


def test_a_neuron_that_never_fires_does_not_widen_the_others():
    scale, error = np.array([0.0, *np.ones(20)]), np.array([0.0, *np.ones(9)])
    found = conformal_intervals(scale, audited=np.arange(10), error=error, confidence=0.9)
    assert found.factor == 1.0
    assert found.half_width[0] == pytest.approx(0.01, rel=0.05)
    tiny = np.array([1e-9, *np.ones(9)])  # rounding where the scale is zero
    assert conformal_intervals(scale, audited=np.arange(10), error=tiny, confidence=0.9).factor == 1.0


@pytest.mark.parametrize(("confidence", "least"), [(0.9, 9), (0.95, 19), (0.5, 1)])
def test_too_few_audited_neurons_are_refused(confidence, least):
    assert fewest_audited(confidence) == least
    conformal_intervals(np.ones(30), audited=np.arange(least), error=np.ones(least), confidence=confidence)
    if least > 1:
        with pytest.raises(ValueError, match=f"{least - 1} audited neurons, but .* need {least}"):
            conformal_intervals(
                np.ones(30), audited=np.arange(least - 1), error=np.ones(least - 1), confidence=confidence
            )
