"""Statistics of single tensors on paths whose answer is known."""

import numpy as np
import pytest

from rare_neurons.numerics.integrity.limits import DEFAULT_LIMITS
from rare_neurons.numerics.integrity.tensor_path import (
    end_distance,
    end_falls,
    end_turns,
    first_jumps,
    gains,
    jumps,
    limit_factors,
    matrices,
    moved_turns,
    norm_excursions,
    tensor_excess,
    turns,
)

SHAPES = [(8, 8), (8, 8), (8, 8), (64,), (64,)]


def walk(n=8, seed=0, step=0.1):
    """Projections and norms of three matrices, a gain and a bias on a random walk."""
    rng = np.random.default_rng(seed)
    start = rng.standard_normal((5, 64))
    start[3], start[4] = 1.0, 0.0
    path = start + np.cumsum(step * rng.standard_normal((n, 5, 64)), axis=0)
    return path, np.linalg.norm(path, axis=-1)


def test_kinds_of_tensors():
    _, norms = walk()
    assert matrices(SHAPES).tolist() == [True, True, True, False, False]
    assert gains(SHAPES, norms).tolist() == [False, False, False, True, False]
    assert limit_factors(SHAPES, norms).tolist() == [1, 1, 1, 1, 2]


def test_a_jump_is_measured_by_the_moves_around_it():
    line = np.array([0.0, 1, 2, 10, 4, 5, 6])[:, None, None]
    found = jumps(line, np.ones((7, 1)))[:, 0]
    assert found[3] == 6 / 2
    assert found[1] == 1 / 8  # the moves around are 2 across and 8 after
    assert np.isnan(found[[0, -1]]).all()
    assert np.isnan(jumps(line[:3], np.ones((3, 1)))).all()


def test_moves_below_rounding_are_no_jumps():
    still = np.zeros((6, 1, 1))
    still[3] = 0.001
    assert jumps(still, np.ones((6, 1)))[3, 0] == pytest.approx(0.5)
    assert jumps(still, np.full((6, 1), 1e-3))[3, 0] > 100


def test_a_turn_is_one_less_the_cosine_for_an_orthogonal_tensor_between_two_equal_ones():
    run = np.array([[1.0, 0, 0], [1, 0, 0.1], [0, 1, 0], [2, 0, 0], [2, 0.1, 0]])[:, None]
    found = turns(run)[:, 0]
    assert found[2] == pytest.approx(1 / np.sqrt(1.01))
    assert found[1] < 0
    assert end_turns(run[:3])[0] == pytest.approx(1 / np.sqrt(1.01))
    assert np.isnan(turns(run * 0)[2, 0])


def test_turns_of_what_has_moved_see_a_gain_that_angles_do_not():
    path, norms = walk(step=0.03)
    path[4, 3] = walk(step=0.03, seed=1)[0][4, 3]
    assert turns(path)[4, 3] < 0.05
    assert moved_turns(path, norms)[4, 3] > 0.3
    # Below a hundredth of the norm nothing is said.
    assert np.isnan(moved_turns(path, 1e4 * norms)).all()


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_scaled_tensor_leaves_the_common_growth_by_the_logarithm_of_the_factor(factor):
    norms = np.exp(np.outer(np.arange(7) * 0.3, np.ones(5)))
    norms[3, 2] *= factor
    found = norm_excursions(norms)
    assert found[3, 2] == pytest.approx(np.log(2))
    assert np.delete(found[1:-1].ravel(), 2 * 5 + 2).max() < 1e-12
    assert np.isnan(norm_excursions(norms * 0)).all()


def test_a_fall_at_the_end_is_one_behind_the_other_tensors():
    norms = np.exp(np.outer(np.arange(4) * 0.3, np.ones(3)))
    assert end_falls(norms) == pytest.approx([0, 0, 0], abs=1e-12)
    norms[-1, 0] /= 2
    assert end_falls(norms)[0] == pytest.approx(np.log(2))
    norms[:-1, 0] *= [1, 1, 2]  # it rises by a factor of two before, and falls back
    assert end_falls(norms)[0] == pytest.approx(np.log(4) - np.log(2))


def test_a_first_move_far_longer_than_the_others_is_told_by_tensor():
    path, norms = walk()
    path[0, 1] += 5
    found = first_jumps(path, norms)
    assert found[1] > 20
    assert np.delete(found, 1).max() < 2


def test_clean_walks_are_within_all_limits_and_ends_of_far_steps_are_not_asked():
    steps = list(range(1, 9))
    for seed in range(20):
        path, norms = walk(seed=seed)
        assert np.nanmax(tensor_excess(steps, path, norms, SHAPES, DEFAULT_LIMITS)) < 1
    path[-1, 0] = walk(seed=99)[0][-1, 0]
    assert tensor_excess(steps, path, norms, SHAPES, DEFAULT_LIMITS)[-1, 0] > 1
    assert np.isnan(tensor_excess([*steps[:-1], 1000], path, norms, SHAPES, DEFAULT_LIMITS)[-1]).all()


def test_the_last_distance_is_asked_where_the_run_has_a_start_and_a_near_last_but_one():
    place = np.array([[0.0, 0, 0], [3.0, 3.0, 3.0], [4.0, 4.0, -9.0]])[:, :, None]  # one tensor of three is odd
    assert end_distance([0, 500, 1000], place) == 0.25
    assert end_distance([0, 100, 1000], place) is None
    assert end_distance([200, 500, 1000], place) is None
    assert end_distance([0, 1000], place[:2]) is None
