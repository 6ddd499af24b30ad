"""Ratios of mean squares where they are known, and what is said where they mean nothing."""

import numpy as np
import pytest

from rare_neurons.numerics.layers.ratios import (
    LAST,
    MOVES,
    LayerSquares,
    jackknife,
    mean_layer,
    share_of_last,
    value_of,
)


def squares(value, noise=0.0, factor=1.0, seed=0):
    value = np.asarray(value, dtype=float)
    errors = np.random.default_rng(seed).normal(0, noise, (12, len(value))) / 11
    return LayerSquares(value, value + errors, factor)


def test_shares_and_mean_layers_of_known_squares():
    assert share_of_last(np.array([1.0, 1, 2])) == pytest.approx(1 / 2 - 1 / 3)
    assert mean_layer(np.array([[1.0, 0, 0], [0, 1, 0], [1, 0, 3]])) == pytest.approx([0, 0.5, 0.75])


def test_growth_of_all_layers_alike_changes_nothing():
    before, after = squares([1.0, 2, 3]), squares([10.0, 20, 30])
    assert value_of(MOVES, {0: before, 8: after}).value == pytest.approx(0, abs=1e-12)
    assert value_of(LAST, {0: before}).value == pytest.approx(value_of(LAST, {0: after}).value)


def test_the_last_usable_checkpoint_is_compared_with_the_first():
    noise = squares([0.01, -0.01, 0.0], noise=1.0)
    found = value_of(MOVES, {0: noise, 4: squares([3.0, 0, 0]), 8: squares([0.0, 0, 3])})
    assert (found.value, found.since, found.step) == (pytest.approx(1), 4, 8)
    assert "within its own noise" in value_of(LAST, {0: squares([1.0, 1]), 8: noise}).reason
    assert "one checkpoint only" in value_of(MOVES, {0: noise, 8: squares([1.0, 1, 1])}).reason
    assert "one layer" in value_of(LAST, {0: squares([1.0])}).reason


def test_the_factor_widens_what_counts_as_resolved():
    assert squares([1.0, 1.0], noise=0.8).is_resolved
    assert not squares([1.0, 1.0], noise=0.8, factor=30).is_resolved


def test_jackknife_of_a_mean_is_its_variance():
    values = np.random.default_rng(0).normal(size=12)
    leave_outs = (values.sum() - values) / 11
    assert jackknife(leave_outs) == pytest.approx(values.var(ddof=1) / 12)
