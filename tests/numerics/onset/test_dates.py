"""Dates and intervals of an onset, against plain loops and by hand."""

import numpy as np
import pytest

from benchmarks.calibration.onset import coverage
from rare_neurons.numerics.onset.dates import Dates, date_change, resample_interval, seed_interval
from tests.reference.onset import slow_dates

RISE = np.array([0.0, 0.0, 0.1, 0.0, 0.2, 1.0, 3.0, 6.0, 8.0, 9.0, 9.5, 9.6])


@pytest.mark.parametrize(("baseline", "persistence"), [(1, 1), (1, 2), (3, 2), (2, 4)])
def test_dates_equal_the_plain_loops(baseline, persistence):
    rng = np.random.default_rng(1)
    for path in np.cumsum(rng.standard_normal((200, 12)), axis=1):
        dates = date_change(path, baseline=baseline, persistence=persistence, threshold=None, fraction=0.4)
        assert (dates.by, dates.offset_by) == slow_dates(path, baseline, persistence, 0.4)


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
