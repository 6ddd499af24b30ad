"""Resampled rows and columns: against drawing them one by one, and the variance where it is known."""

import numpy as np
import pytest

from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.grid.pigeonhole import pigeonhole_weights, resampled_influence


def test_a_cell_is_drawn_as_often_as_its_row_times_its_column():
    weights = pigeonhole_weights(n_resamples=50, seed=3)
    assert weights.shape == (50, 12, 12)
    rows, columns = weights.sum(axis=2) / 12, weights.sum(axis=1) / 12
    np.testing.assert_array_equal(weights, rows[:, :, None] * columns[:, None, :])
    assert (rows.sum(axis=1) == 12).all()
    np.testing.assert_array_equal(weights, pigeonhole_weights(n_resamples=50, seed=3))
    assert not np.array_equal(weights, pigeonhole_weights(n_resamples=50, seed=4))


def test_blocks_keep_their_share_of_the_draw():
    weights = pigeonhole_weights(n_resamples=50, seed=0, n_blocks=2)
    for rows in (slice(0, 6), slice(6, 12)):
        for columns in (slice(0, 6), slice(6, 12)):
            assert (weights[:, rows, columns].sum(axis=(1, 2)) == 36).all()
    with pytest.raises(ValueError, match="12 folds cannot be divided into 5 equal blocks"):
        pigeonhole_weights(n_resamples=2, seed=0, n_blocks=5)


def test_resampled_influence_is_that_of_the_cells_drawn():
    rng = np.random.default_rng(1)
    cells = CellSums.of(rng.standard_normal((4, 4, 3)), counts=rng.integers(1, 9, (4, 4)))
    weights = pigeonhole_weights(n_resamples=5, seed=0, n_folds=4)
    for drawn, weight in zip(resampled_influence(weights, cells), weights, strict=True):
        total, n = np.zeros(3), 0
        for a, b in np.ndindex(4, 4):
            for _ in range(int(weight[a, b])):
                total, n = total + cells.sums[a, b], n + cells.counts[a, b]
        np.testing.assert_allclose(drawn, total / n, rtol=1e-12)


def test_a_resample_without_targets_is_named():
    counts = np.zeros((4, 4))
    counts[0, 0] = 7
    with pytest.raises(ValueError, match=r"of 50 resamples hold no target: 1 cells have any; use a larger panel"):
        resampled_influence(
            pigeonhole_weights(n_resamples=50, seed=0, n_folds=4), CellSums.of(np.ones((4, 4, 2)), counts=counts)
        )


def test_the_next_resample_stands_in_for_one_without_targets():
    counts = np.zeros((12, 12))
    counts[0, 0] = counts[1, 5] = counts[7, 2] = counts[9, 9] = counts[3, 11] = 1.0
    values = np.random.default_rng(3).normal(size=(12, 12, 1)) * counts[..., None]
    cells = CellSums.of(values, counts=counts)
    weights = np.ones((40, 12, 12))
    weights[:, 0, 0] = np.arange(40) + 1
    weights[[17, 39]] = 0.0
    found = resampled_influence(weights, cells)[:, 0]
    assert found[17] == found[18]
    assert found[39] == found[0]
    rest = np.delete(np.arange(40), [17, 39])
    expected = (weights * values[..., 0]).sum((1, 2))[rest] / (weights * counts).sum((1, 2))[rest]
    np.testing.assert_allclose(found[rest], expected, rtol=1e-12)


def test_variance_of_a_mean_is_that_of_rows_and_columns_and_three_times_that_of_cells():
    # Owen 2007: with row, column and cell effects of sd 1, 2, 1.5 the mean of 12 x 12 has 1/12 + 4/12 + 2.25/144.
    rng, found = np.random.default_rng(2), []
    weights = pigeonhole_weights(n_resamples=400, seed=0)
    rows, columns = rng.standard_normal((12, 1, 300)), 2 * rng.standard_normal((1, 12, 300))
    cells = CellSums.of(rows + columns + 1.5 * rng.standard_normal((12, 12, 300)), counts=np.ones((12, 12)))
    found = resampled_influence(weights, cells).var(axis=0)
    shrunk = 11 / 12  # twelve drawn from twelve
    expected = shrunk * (1 / 12 + 4 / 12) + 3 * 2.25 / 144
    # The variance of 12 columns has a relative error of √(2/11) a neuron: 2.5 % over 300, and 4 se allowed.
    assert found.mean() == pytest.approx(expected, rel=0.1)
