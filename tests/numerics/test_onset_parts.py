"""Statistic, walk null, dates and intervals of an onset, against plain loops and by hand."""

import numpy as np
import pytest

from rare_neurons.numerics.onset.dates import Dates, date_change, resample_interval, seed_interval
from rare_neurons.numerics.onset.nulls import measure_change, measure_coherence, minimal_change, random_walk_p
from tests.reference.onset import slow_change, slow_coherence, slow_dates, slow_walk_p

RISE = np.array([0.0, 0.0, 0.1, 0.0, 0.2, 1.0, 3.0, 6.0, 8.0, 9.0, 9.5, 9.6])


def _rising(increments):
    return measure_coherence(increments, baseline=1, persistence=2, direction="rise")


@pytest.mark.parametrize(("baseline", "persistence"), [(1, 1), (1, 2), (3, 2), (2, 4)])
def test_change_and_dates_equal_the_plain_loops(baseline, persistence):
    rng = np.random.default_rng(1)
    for path in np.cumsum(rng.standard_normal((200, 12)), axis=1):
        expected = slow_change(path, baseline, persistence)
        assert measure_change(path, baseline, persistence, "rise") == pytest.approx(expected, abs=1e-12)
        assert measure_change(-path, baseline, persistence, "fall") == pytest.approx(expected, abs=1e-12)
        both = max(expected, slow_change(-path, baseline, persistence))
        assert measure_change(path, baseline, persistence, "either") == pytest.approx(both, abs=1e-12)
        dates = date_change(path, baseline=baseline, persistence=persistence, threshold=None, fraction=0.4)
        assert (dates.by, dates.offset_by) == slow_dates(path, baseline, persistence, 0.4)


@pytest.mark.parametrize(("baseline", "persistence"), [(1, 1), (1, 2), (3, 2), (2, 4)])
def test_coherence_equals_the_plain_loops(baseline, persistence):
    rng = np.random.default_rng(21)
    increments = rng.standard_normal((50, 3, 11))
    got = measure_coherence(increments, baseline, persistence, "rise")
    expected = [slow_coherence(one.tolist(), baseline, persistence) for one in increments]
    np.testing.assert_allclose(got, expected, atol=1e-12)
    np.testing.assert_allclose(measure_coherence(1e6 * increments, baseline, persistence, "rise"), expected, atol=1e-9)
    falls = measure_coherence(-increments, baseline, persistence, "rise")
    np.testing.assert_allclose(
        measure_coherence(increments, baseline, persistence, "either"), np.maximum(expected, falls), atol=1e-12
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


def test_a_single_wild_checkpoint_changes_nothing():
    wild = RISE.copy()
    wild[2] = 100
    assert date_change(wild, baseline=1, persistence=2, threshold=None, fraction=0.5).by == 7


@pytest.mark.parametrize(
    ("positions", "n_steps", "confidence", "expected"),
    [
        # t(0.95, 2) sd / sqrt(3): 1.686 sd.
        ([2.5, 5.5, 8.5], 12, 0.9, (0, 11)),
        ([0.5, 0.5, 2.5], 12, 0.9, (0, 4)),
        ([8.5, 9.5, 8.5], 10, 0.9, (7, None)),
        # Equal cells do not mean equal onsets: t x sqrt(1/12/3) is 0.49 at 90 %, 0.72 at 95 %.
        ([5.5, 5.5, 5.5], 12, 0.9, (5, 6)),
        ([5.5, 5.5, 5.5], 12, 0.95, (4, 7)),
    ],
)
def test_seed_intervals_by_hand(positions, n_steps, confidence, expected):
    assert seed_interval(positions, n_steps=n_steps, confidence=confidence) == expected


def test_a_path_that_never_rises_has_no_dates():
    assert date_change(-RISE, baseline=1, persistence=2, threshold=None, fraction=0.5) == Dates()
    assert date_change(0 * RISE, baseline=1, persistence=2, threshold=None, fraction=0.5) == Dates()


def test_resamples_without_onset_leave_the_end_open():
    dates = [Dates(after=3, by=4)] * 90 + [Dates()] * 10
    assert resample_interval(dates, confidence=0.9) == (3, None)
    assert resample_interval([Dates(after=3, by=4)] * 96 + [Dates()] * 4, confidence=0.9) == (3, 4)


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
