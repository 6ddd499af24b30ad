"""Comparisons of layers where they are known, and what is said where they mean nothing."""

import numpy as np
import pytest

from rare_neurons.numerics.layers.ratios import (
    LAST,
    MOVES,
    NATS,
    SHARE,
    LayerMoments,
    form_of,
    last_beyond_all,
    mean_layer,
    share_of_last,
    value_of,
)


def moments(squares, noise=0.0, factor=1.0, seed=0):
    """Mean squares with noise in their leave-outs; means are their roots."""
    value = np.asarray(squares, dtype=float)
    errors = np.random.default_rng(seed).normal(0, noise, (12, len(value))) / 11
    return LayerMoments(np.vstack([value, value + errors]), np.sqrt(np.vstack([value] * 13).clip(0)), factor)


NOISE = moments([0.01, -0.01, 0.0], noise=1.0)


def test_shares_means_and_mean_layers_of_known_moments():
    assert share_of_last(np.array([1.0, 1, 2])) == pytest.approx(1 / 2 - 1 / 3)
    assert last_beyond_all(np.array([[1.0, 1, 4]])) == pytest.approx([2.0])
    assert mean_layer(np.array([[1.0, 0, 0], [0, 1, 0], [1, 0, 3]])) == pytest.approx([0, 0.5, 0.75])


def test_growth_of_all_layers_alike_changes_no_share():
    before, after = moments([1.0, 2, 3]), moments([10.0, 20, 30])
    assert value_of(MOVES, {0: before, 8: after}, SHARE).value == pytest.approx(0, abs=1e-12)
    assert value_of(LAST, {0: before}, SHARE).value == pytest.approx(value_of(LAST, {0: after}, SHARE).value)


def test_the_last_checkpoint_is_compared_with_the_first_that_is_resolved():
    found = value_of(MOVES, {0: NOISE, 4: moments([3.0, 0, 0]), 8: moments([0.0, 0, 3])}, SHARE)
    assert (found.value, found.since, found.step) == (pytest.approx(1), 4, 8)
    assert "one checkpoint only" in value_of(MOVES, {0: NOISE, 8: moments([1.0, 1, 1])}, SHARE).reason
    assert "one layer" in value_of(LAST, {0: moments([1.0])}, SHARE).reason


def test_one_run_or_control_that_is_not_resolved_decides_the_form_of_all():
    good = {8: moments([1.0, 1, 4])}
    assert form_of({"a": good, "b": good}) == SHARE
    assert form_of({"a": good, "b": {0: good[8], 8: NOISE}}) == NATS
    assert value_of(LAST, good, NATS).value == pytest.approx(2 - 4 / 3)
    assert "shares mean nothing" in value_of(MOVES, good, NATS).reason


def test_the_factor_widens_what_counts_as_resolved():
    assert moments([1.0, 1.0], noise=0.8).is_resolved
    assert not moments([1.0, 1.0], noise=0.8, factor=30).is_resolved
