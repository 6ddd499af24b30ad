"""Totals are unbiased for biased estimates, and their intervals cover."""

import numpy as np
import pytest

from rare_neurons.numerics.layers.totals import layer_total


def test_totals_are_unbiased_and_cover():
    rng = np.random.default_rng(0)
    exact = rng.standard_normal(200)
    estimate = exact + 0.3 + 0.2 * rng.standard_normal(200)
    strongest = np.argsort(-np.abs(estimate))[:8]
    rest = np.setdiff1d(np.arange(200), strongest)
    values = estimate.copy()
    values[strongest] = exact[strongest]
    found, covered = [], []
    for _ in range(2000):
        audited = rng.permutation(rest)[:19]
        total = layer_total(values, audited=audited, error=(exact - estimate)[audited], n_exact=8, confidence=0.9)
        found.append(total.value)
        covered.append(total.low <= exact.sum() <= total.high)
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - exact.sum()) < 4 * error
    assert abs(estimate.sum() - exact.sum()) > 50 * error  # the estimates alone are biased
    assert np.mean(covered) == pytest.approx(0.9, abs=0.03)


def test_all_audited_leave_no_doubt():
    exact, estimate = np.arange(5.0), np.ones(5)
    total = layer_total(estimate, audited=np.arange(5), error=exact - estimate, n_exact=0, confidence=0.9)
    assert (total.low, total.value, total.high) == (10.0, 10.0, 10.0)
