import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rare_neurons.numerics.grid.folds import balance_folds


def test_largest_first_into_the_emptiest_fold():
    assert balance_folds([9, 4, 3, 2, 2, 1], n_folds=4).tolist() == [0, 1, 2, 3, 3, 2]


@given(st.lists(st.integers(0, 500), min_size=4, max_size=60), st.integers(4, 8))
def test_no_fold_exceeds_the_mean_by_more_than_the_largest_label(counts, n_folds):
    counts = np.array(counts)
    if np.count_nonzero(counts) < n_folds:
        with pytest.raises(ValueError, match="labels with targets"):
            balance_folds(counts, n_folds=n_folds)
        return
    fold = balance_folds(counts, n_folds=n_folds)
    loads = np.bincount(fold, counts, n_folds)
    assert loads.min() > 0
    assert loads.max() <= counts.sum() / n_folds + counts.max()


def test_a_small_stratum_is_balanced_as_well_as_a_large_one():
    rng = np.random.default_rng(0)
    counts = np.stack([rng.integers(50, 150, 240), rng.integers(0, 3, 240)], axis=1)
    fold = balance_folds(counts, n_folds=12)
    loads = np.array([np.bincount(fold, column, 12) for column in counts.T])
    assert (loads.max(1) / loads.min(1) < 1.5).all()


def test_the_order_of_equal_labels_does_not_depend_on_scale():
    counts = np.tile([3, 1, 2], 20)
    assert (balance_folds(counts, n_folds=6) == balance_folds(counts * 7, n_folds=6)).all()


@pytest.mark.parametrize(
    ("counts", "n_folds", "message"),
    [
        ([1, 2, 3], 3, "at least 4"),
        ([1, 2, -3, 4], 4, "not negative"),
        ([[1, 0]] * 5, 4, "stratum 1 has no targets"),
    ],
)
def test_refusals(counts, n_folds, message):
    with pytest.raises(ValueError, match=message):
        balance_folds(counts, n_folds=n_folds)
