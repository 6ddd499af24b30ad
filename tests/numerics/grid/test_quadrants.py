import numpy as np
import pytest

from rare_neurons.numerics.grid.moments import mean_leave_outs
from rare_neurons.numerics.grid.quadrants import disjoint_thirds, opposite_quadrants, part_means


@pytest.mark.parametrize("splits", [opposite_quadrants(12), disjoint_thirds(12)], ids=["halves", "thirds"])
def test_parts_of_a_split_share_neither_rows_nor_columns(splits):
    for parts in splits:
        for axis in (1, 2):
            assert (parts.any(axis=axis).sum(0) <= 1).all()
    assert (splits.any(1).sum((1, 2)) == 144 // splits.shape[1]).all()


@pytest.mark.parametrize("splits", [opposite_quadrants(6), disjoint_thirds(6)], ids=["halves", "thirds"])
def test_every_cell_plays_every_role_equally_often(splits):
    use = splits.sum(0)
    assert (use == use[0, 0, 0]).all()
    assert len({parts.tobytes() for parts in splits}) == len(splits)


def test_part_means_are_means_of_targets():
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 9, (6, 6)).astype(float)
    sums = rng.standard_normal((4, 6, 6))
    found = part_means(sums, counts, opposite_quadrants(6))
    assert found.shape == (4, 2, 4)
    assert found[0, 1, 2] == pytest.approx(sums[2, 3:, 3:].sum() / counts[3:, 3:].sum())
    whole = part_means(sums, counts, np.ones((6, 6), dtype=bool))
    np.testing.assert_allclose(whole, mean_leave_outs(sums, counts).value)


def test_halves_do_not_share_what_types_add():
    rng = np.random.default_rng(1)
    counts = np.full((12, 12), 50.0)
    sums = counts * rng.standard_normal((3000, 1, 12))
    first, second = part_means(sums, counts, opposite_quadrants(12)[0])
    by_documents = part_means(
        sums, counts, np.array([np.arange(12) < 6, np.arange(12) >= 6])[:, :, None] & np.ones(12, dtype=bool)
    )
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.08
    assert np.corrcoef(*by_documents)[0, 1] > 0.99


@pytest.mark.parametrize(("split", "n_folds"), [(opposite_quadrants, 5), (disjoint_thirds, 8)])
def test_a_grid_that_cannot_be_divided_is_refused(split, n_folds):
    with pytest.raises(ValueError, match="cannot be divided"):
        split(n_folds)


def test_an_empty_part_is_refused():
    counts = np.ones((4, 4))
    counts[:2, :2] = 0
    with pytest.raises(ValueError, match="1 of 2 parts hold no target"):
        part_means(np.ones((4, 4)), counts, opposite_quadrants(4)[0])
