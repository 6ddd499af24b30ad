"""Distances from the straight line between neighbours, on paths whose geometry is known."""

import numpy as np
import pytest

from rare_neurons.numerics.integrity.chord import chord_offsets, straight_matrices, unusual_offsets


def test_a_right_angle_has_a_half_and_a_weighted_mean_nothing():
    corner = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    assert chord_offsets(corner)[1] == pytest.approx(0.5)
    for weight in (0.1, 0.5, 0.8):
        mean = np.array([corner[0], (1 - weight) * corner[0] + weight * corner[2], corner[2]])
        assert chord_offsets(mean)[1] == pytest.approx(0, abs=1e-12)
    assert np.isnan(chord_offsets(corner)[[0, 2]]).all()
    assert np.isnan(chord_offsets(corner[[0, 1, 0]])).all()


def test_unequal_steps_of_a_random_walk_have_a_half_too():
    """Orthogonal steps of lengths a and b lie ab/|D| off the chord, at t = a²/|D|²."""
    for length in (0.1, 1.0, 7.0):
        path = np.array([[0.0, 0.0], [length, 0.0], [length, 1.0]])
        assert chord_offsets(path)[1] == pytest.approx(0.5)


def test_where_straight_lines_are_usual_none_is_a_sign():
    assert np.isnan(unusual_offsets(np.array([np.nan, 0.0, 0.0, 0.0, np.nan]))).all()
    np.testing.assert_allclose(unusual_offsets(np.array([0.5, 0.001, 0.4])), [0.5, 0.001, 0.4])
    # Straighter than most by as much as the others are straight already.
    np.testing.assert_allclose(unusual_offsets(np.array([0.01, 0.001, 0.02])), [0.1, 0.01, 0.2])


def test_only_matrices_that_move_are_asked():
    rng = np.random.default_rng(0)
    path = np.cumsum(rng.standard_normal((6, 3, 64)), axis=0)
    path[3] = (path[2] + path[4]) / 2
    path[:, 2] *= 1e-4  # beside its norm it stands still
    found = straight_matrices(path, np.full((6, 3), 2.0), [(8, 8), (64,), (8, 8)])
    assert found[3, 0] < 1e-9
    assert np.isnan(found[:, 1:]).all()
    assert (found[[1, 2, 4], 0] > 0.2).all()
