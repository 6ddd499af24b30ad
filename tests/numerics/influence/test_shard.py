"""The shard hands out one stratum's folds."""

import numpy as np
import pytest

from rare_neurons.numerics.influence.shard import InfluenceShard


def test_folds_are_those_of_the_named_stratum():
    sums = np.arange(24, dtype=float).reshape(2, 4, 3)
    shard = InfluenceShard(
        strata=("common", "rare"),
        influence=np.zeros((2, 3)),
        influence_se=np.ones((2, 3)),
        fold_sum=sums,
        fold_n=np.array([[1, 2, 3, 4], [5, 6, 7, 8]]),
        half_of_fold=np.array([0, 0, 1, 1]),
    )
    rare = shard.folds("rare")
    np.testing.assert_array_equal(rare.sums, sums[1])
    assert (rare.counts.tolist(), rare.half.tolist()) == ([5, 6, 7, 8], [0, 0, 1, 1])
    with pytest.raises(ValueError, match="not in tuple"):
        shard.folds("mid")
