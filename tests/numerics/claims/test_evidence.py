"""Evidence: intervals that are intervals, and Student's over runs against the printed table."""

import numpy as np
import pytest

from rare_neurons.numerics.claims.evidence import (
    Evidence,
    change_since_start,
    no_change,
    over_seeds,
    ratio_over_seeds,
)


def test_wrong_evidence_is_refused():
    with pytest.raises(ValueError, match="low=2 is above high=1; swap them"):
        Evidence(1.0, 2.0, 1.0)
    with pytest.raises(ValueError, match="at least 1 run, got seeds=0"):
        Evidence(1.0, 0.0, 2.0, seeds=0)


def test_evidence_is_missing_where_a_side_is():
    assert not Evidence(1.0, 0.0, 2.0).missing
    for broken in ((np.nan, 0.0, 2.0), (1.0, -np.inf, 2.0), (1.0, 0.0, np.nan)):
        assert Evidence(*broken).missing


def test_intervals_over_seeds_are_students():
    found = over_seeds([1.0, 2.0, 3.0], 0.9)
    assert (found.estimate, found.seeds) == (2.0, 3)
    assert found.high - 2.0 == pytest.approx(2.919986 / np.sqrt(3))  # t at 95 %, 2 degrees of freedom, sd 1
    assert 2.0 - found.low == pytest.approx(2.919986 / np.sqrt(3))
    assert over_seeds([4.0], 0.9) == Evidence(4.0, 4.0, 4.0, 1)
    assert over_seeds([], 0.9) is None


def test_students_interval_covers_what_it_says():
    draws = np.random.default_rng(0).standard_normal((2000, 3))
    covered = [(found := over_seeds(row.tolist(), 0.9)).low <= 0 <= found.high for row in draws]
    assert abs(np.mean(covered) - 0.9) < 4 * np.sqrt(0.09 / 2000)


def test_ratios_are_taken_run_by_run():
    assert ratio_over_seeds([2.0, 9.0], [1.0, 3.0], 0.9) == over_seeds([2.0, 3.0], 0.9)
    assert ratio_over_seeds([], [], 0.9) is None


def test_a_change_needs_step_0_and_runs_to_the_last_step():
    assert change_since_start({4: 7.0, 0: 2.0, 2: -1.0}) == 5.0
    assert change_since_start({2: 1.0, 4: 7.0}) is None
    assert change_since_start({}) is None


def test_at_the_start_nothing_has_changed():
    assert no_change(3) == Evidence(0.0, 0.0, 0.0, 3)
    assert no_change(0).seeds == 1
