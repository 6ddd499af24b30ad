from itertools import pairwise

import numpy as np
import pytest

from rare_neurons.numerics.evidence.noise_draws import directions, draw_noise, t_values
from rare_neurons.numerics.evidence.turns import find_moves
from tests.numerics.evidence.worlds import exactly, means
from tests.reference.evidence import slow_moves


def found_in(series, rng, draws=499, **how):
    return find_moves(series, noise=draw_noise(n_folds=12, rng=rng, draws=draws), **how)


def test_a_rise_and_a_fall_are_two_moves():
    rng = np.random.default_rng(0)
    truth = np.interp(np.arange(12), [0, 3, 5, 7, 11], [0, 0, 3, 3, -3])
    moves = found_in(means(truth, rng, size=0.1), rng)
    assert [np.sign(move.change) for move in moves if abs(move.change) > 1] == [1, -1]
    assert all(a.end <= b.start for a, b in pairwise(moves))


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_recursion_over_all_pairs(seed):
    rng = np.random.default_rng(seed)
    series = means(rng.standard_normal(8) * 0.8, rng)
    noise = draw_noise(n_folds=12, rng=rng, draws=299)
    pairs = [(a, b) for a in range(8) for b in range(a + 1, 8)]
    contrasts = [series[b : b + 1] - series[a : a + 1] for a, b in pairs]
    mixed = [noise.normal @ directions(contrast)[0] for contrast in contrasts]
    largest = np.max([np.abs(m.mean(1)) * np.sqrt(12) / m.std(1, ddof=1) for m in mixed], axis=0)
    strength = {}
    for pair, contrast in zip(pairs, contrasts, strict=True):
        t = abs(float(t_values(contrast)[0]))
        if (1 + np.count_nonzero(largest >= t)) / 300 <= 0.1:
            strength[pair] = t
    moves = find_moves(series, noise=noise, level=0.1)
    assert [(m.start, m.end) for m in moves] == slow_moves(strength, 0, 7)


def test_without_a_change_any_move_at_all_has_the_level():
    rng = np.random.default_rng(1)
    found = [bool(found_in(means(np.zeros(12), rng, memory=0.8), rng, 299)) for _ in range(400)]
    # .05 with a binomial standard error of .011
    assert np.mean(found) <= 0.08


def test_a_flat_series_has_no_moves_and_one_checkpoint_is_refused():
    rng = np.random.default_rng(2)
    assert found_in(exactly(np.zeros(4)), rng) == ()
    with pytest.raises(ValueError, match="2 checkpoints"):
        found_in(exactly(np.zeros(1)), rng)
