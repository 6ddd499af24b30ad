"""Folds, halves, and what the folds of one stratum add up to."""

import numpy as np
import pytest

from rare_neurons.numerics.panel.folds import HALF_A, HALF_B, N_FOLDS, FoldSums, half_of_fold


def test_the_first_32_folds_are_half_a():
    half = half_of_fold(np.arange(N_FOLDS))
    assert half.tolist() == [HALF_A] * 32 + [HALF_B] * 32
    assert half_of_fold([31, 32]).tolist() == [0, 1]


def test_a_choice_of_neurons_leaves_the_rest_alone():
    folds = FoldSums.of(np.arange(12).reshape(4, 3), counts=[1, 2, 3, 4], half=[0, 0, 1, 1])
    some = folds.of_neurons(np.array([True, False, True]))
    np.testing.assert_array_equal(some.sums, [[0, 2], [3, 5], [6, 8], [9, 11]])
    assert some.counts is folds.counts
    assert some.half is folds.half
    assert some.sums.dtype == some.counts.dtype == np.float64


@pytest.mark.parametrize(
    ("sums", "counts", "half"), [(np.ones(4), 4, 4), (np.ones((4, 2)), 3, 4), (np.ones((4, 2)), 4, 5)]
)
def test_shapes_that_disagree_are_refused(sums, counts, half):
    with pytest.raises(ValueError, match=r"they must be \[fold neuron\], \[fold\], \[fold\]"):
        FoldSums.of(sums, counts=np.ones(counts), half=np.zeros(half))
