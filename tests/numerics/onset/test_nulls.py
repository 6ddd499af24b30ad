"""Statistic, walk null and smallest effect of an onset, against plain loops; small copies of the calibration."""

import numpy as np
import pytest

from benchmarks.calibration.onset import LOG_STEPS, PYTHIA_STEPS, false_positives, power
from rare_neurons.numerics.onset.nulls import (
    ar1_p,
    evaluation_p,
    measure_change,
    measure_coherence,
    minimal_change,
    random_walk_p,
    white_noise_p,
)
from tests.reference.onset import slow_change, slow_coherence, slow_walk_p

SCHEDULES = [(LOG_STEPS, 1), (LOG_STEPS, 3), (PYTHIA_STEPS, 1)]


def _rising(increments):
    return measure_coherence(increments, baseline=1, persistence=2, direction="rise")


@pytest.mark.parametrize(("baseline", "persistence"), [(1, 1), (1, 2), (3, 2), (2, 4)])
def test_change_equals_the_plain_loops(baseline, persistence):
    rng = np.random.default_rng(1)
    extent = {"baseline": baseline, "persistence": persistence}
    for path in np.cumsum(rng.standard_normal((200, 12)), axis=1):
        expected = slow_change(path, baseline, persistence)
        assert measure_change(path, **extent, direction="rise") == pytest.approx(expected, abs=1e-12)
        assert measure_change(-path, **extent, direction="fall") == pytest.approx(expected, abs=1e-12)
        both = max(expected, slow_change(-path, baseline, persistence))
        assert measure_change(path, **extent, direction="either") == pytest.approx(both, abs=1e-12)


@pytest.mark.parametrize(("baseline", "persistence"), [(1, 1), (1, 2), (3, 2), (2, 4)])
def test_coherence_equals_the_plain_loops(baseline, persistence):
    rng = np.random.default_rng(21)
    extent = {"baseline": baseline, "persistence": persistence}
    increments = rng.standard_normal((50, 3, 11))
    got = measure_coherence(increments, **extent, direction="rise")
    expected = [slow_coherence(one.tolist(), baseline, persistence) for one in increments]
    np.testing.assert_allclose(got, expected, atol=1e-12)
    np.testing.assert_allclose(measure_coherence(1e6 * increments, **extent, direction="rise"), expected, atol=1e-9)
    falls = measure_coherence(-increments, **extent, direction="rise")
    np.testing.assert_allclose(
        measure_coherence(increments, **extent, direction="either"), np.maximum(expected, falls), atol=1e-12
    )


@pytest.mark.parametrize("shape", [(1, 9), (2, 6)])
def test_random_walk_p_equals_every_sign_pattern_tried(shape):
    rng = np.random.default_rng(2)
    for _ in range(3):
        series = np.cumsum(rng.standard_normal(shape) + 0.4, axis=1)
        got = random_walk_p(series, _rising, draws=10, rng=rng)
        assert got == pytest.approx(slow_walk_p(series.tolist(), 1, 2), abs=1e-12)


def test_random_walk_p_of_drawn_signs_agrees_with_all_signs():
    rng = np.random.default_rng(3)
    series = np.cumsum(rng.standard_normal((2, 7)) + 0.5, axis=1)
    drawn = random_walk_p(np.pad(series, ((0, 0), (4, 0)), mode="edge"), _rising, draws=20000, rng=rng)
    assert drawn == pytest.approx(slow_walk_p(series.tolist(), 1, 2), abs=0.01)


def test_the_minimal_effect_is_called_four_times_in_five():
    rng = np.random.default_rng(10)
    series = np.cumsum(rng.standard_normal((2, 12)), axis=1)
    ramp = np.arange(12) / 11
    size = minimal_change(series, _rising, ramp=ramp, level=0.05, power=0.8, rng=rng, walks=64)
    increments = np.diff(series, axis=1)

    def share(planted):
        hits = 0
        for _ in range(200):
            walk = np.cumsum(increments * rng.choice([-1, 1], increments.shape), axis=1)
            runs = np.concatenate([np.zeros((2, 1)), walk], axis=1) + planted * ramp
            hits += random_walk_p(runs, _rising, draws=199, rng=rng) <= 0.05
        return hits / 200

    assert share(size) == pytest.approx(0.8, abs=0.12)
    assert share(size / 2) < 0.6


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


def test_power_needs_extent_or_seeds():
    assert power(16, 1, LOG_STEPS, 1, 60, 16) < 0.2
    assert power(16, 6, LOG_STEPS, 1, 60, 16) > 0.9
    assert power(16, 2, LOG_STEPS, 3, 60, 16) > 0.9
    assert power(16, 6, PYTHIA_STEPS, 1, 60, 16) > 0.7


def test_nothing_moves_and_nothing_is_called():
    still = np.full((2, 8), 3.0)
    for p in (white_noise_p, ar1_p, random_walk_p):
        assert p(still, _rising, draws=50, rng=np.random.default_rng(0)) == 1.0
    assert minimal_change(
        still, _rising, ramp=np.arange(8) / 7, level=0.05, power=0.8, rng=np.random.default_rng(0)
    ) == (0.0)


def test_evaluation_p_counts_the_resamples_that_change_as_much():
    def change(paths):
        return measure_change(paths, baseline=1, persistence=1, direction="rise")

    noise = np.array([[0.0, 2.0], [0.0, 1.0], [0.0, 0.5], [0.0, -3.0]])
    assert evaluation_p(np.array([0.0, 1.0]), noise, change) == 3 / 5
    assert evaluation_p(np.array([0.0, 9.0]), noise, change) == 1 / 5
