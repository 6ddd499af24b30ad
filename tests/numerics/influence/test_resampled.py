"""Indices of inequality in resampled contexts, against one vector at a time."""

import numpy as np
import pytest

from rare_neurons.numerics.influence.inequality import inequality
from rare_neurons.numerics.influence.resampled import indices_of, resampled_index


def test_indices_are_those_of_each_drawn_vector():
    drawn = np.random.default_rng(0).standard_t(3, (5, 40))
    for index in ("gini", "participation_ratio", "excess_kurtosis"):
        expected = [getattr(inequality(x, np.zeros(40)), index) for x in drawn]
        np.testing.assert_array_equal(indices_of(drawn, index), expected)


def test_what_is_not_defined_is_nan():
    found = indices_of([np.zeros(6), np.ones(6)], "excess_kurtosis")
    assert np.isnan(found).all()
    assert indices_of([np.ones(6)], "gini") == pytest.approx(0)


def test_equal_weights_give_the_index_of_the_whole():
    rng = np.random.default_rng(1)
    sums, counts = rng.standard_normal((8, 30)), np.full(8, 5)
    whole = inequality(sums.sum(axis=0) / 40, np.zeros(30)).gini
    assert resampled_index(np.ones((2, 8)), sums, counts, index="gini") == pytest.approx([whole, whole])
