"""Average ranks against SciPy's."""

import numpy as np
import pytest
from scipy.stats import rankdata

from rare_neurons.numerics.ranks import average_ranks


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_ranks_are_those_of_scipy_ties_included(axis):
    values = np.random.default_rng(0).integers(0, 12, size=(3, 40, 7)).astype(float)
    assert np.array_equal(average_ranks(values, axis=axis), rankdata(values, axis=axis))
    assert (np.diff(np.sort(average_ranks(values, axis=axis), axis=axis), axis=axis) == 0).any()  # there are ties


def test_what_is_not_known_has_no_rank():
    values = np.array([[3.0, np.nan, 1.0], [2.0, 2.0, 0.0]])
    np.testing.assert_array_equal(average_ranks(values), rankdata(values, axis=-1))
