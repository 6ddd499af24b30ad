"""Smaller seeded copies of benchmarks/calibration/onset.py."""

import numpy as np
import pytest

from benchmarks.calibration.onset import LOG_STEPS, PYTHIA_STEPS, coverage, false_positives, power
from rare_neurons.numerics.onset.dates import seed_interval

SCHEDULES = [(LOG_STEPS, 1), (LOG_STEPS, 3), (PYTHIA_STEPS, 1)]


@pytest.mark.parametrize(("steps", "n_seeds"), SCHEDULES)
def test_false_positives_on_random_walks_are_at_most_seven_percent(steps, n_seeds):
    # The test is exact here, so 700 draws at 5 % leave 7 % at 2.4 standard errors.
    share = false_positives("random walk", steps, n_seeds, 700, 11)[3]
    assert 0.02 <= share <= 0.07


@pytest.mark.parametrize("null", ["white noise", "AR(1) 0.3", "AR(1) 0.5", "AR(1) 0.8", "random walk in steps"])
def test_false_positives_on_other_noise_are_at_most_seven_percent(null):
    for steps, n_seeds in SCHEDULES:
        assert false_positives(null, steps, n_seeds, 100, 11)[3] <= 0.07


def test_white_noise_alone_would_fail_that_bar():
    white, _, _, _ = false_positives("random walk", LOG_STEPS, 1, 100, 12)
    assert white > 0.2


def test_the_ar1_null_alone_holds_where_it_is_true():
    # Without the correction of the coefficient's bias it fires in more than 10 %.
    assert false_positives("AR(1) 0.8", LOG_STEPS, 1, 400, 17)[1] <= 0.09


def test_walks_with_momentum_are_the_known_limit():
    assert false_positives("walk with momentum, AR(1) 0.5 increments", LOG_STEPS, 1, 200, 13)[3] > 0.07


@pytest.mark.parametrize("spread", [0.25, 1.0])
def test_three_seeds_cover_the_mean_onset(spread):
    got = coverage(spread, 3, 120, 14)
    assert got["detected"] > 0.9
    assert got["coverage"] >= 0.86
    assert got["mean_width"] < 6


def test_percentiles_of_three_resampled_seeds_would_not_cover():
    rng = np.random.default_rng(15)
    positions = 75 + 5 * rng.standard_normal((400, 3))
    bounds = [seed_interval(row, n_steps=154, confidence=0.9) for row in positions]
    ours = np.mean([low <= 75 <= (154 if high is None else high) for low, high in bounds])
    means = positions[:, rng.integers(0, 3, (400, 3))].mean(axis=2)
    low, high = np.quantile(means, [0.05, 0.95], axis=1)
    assert ours >= 0.86
    assert np.mean((np.floor(low) <= 75) & (np.ceil(high) >= 75)) < 0.8


def test_power_needs_extent_or_seeds():
    assert power(16, 1, LOG_STEPS, 1, 60, 16) < 0.2
    assert power(16, 6, LOG_STEPS, 1, 60, 16) > 0.9
    assert power(16, 2, LOG_STEPS, 3, 60, 16) > 0.9
    assert power(16, 6, PYTHIA_STEPS, 1, 60, 16) > 0.7
