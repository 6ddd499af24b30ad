"""The shard hands out one stratum's cells, of the whole influence and of its part within the stratum."""

import numpy as np
import pytest

from rare_neurons.numerics.influence.shard import InfluenceShard


def test_cells_are_those_of_the_named_stratum():
    sums = np.arange(48, dtype=float).reshape(2, 4, 2, 3)
    counts = np.arange(16).reshape(2, 4, 2)
    shard = InfluenceShard(
        strata=("common", "rare"),
        influence=np.zeros((2, 3)),
        influence_se=np.ones((2, 3)),
        cell_sum=sums,
        within_sum=-sums,
        cell_n=counts,
    )
    np.testing.assert_array_equal(shard.cells("rare").sums, sums[1])
    np.testing.assert_array_equal(shard.within_cells("common").sums, -sums[0])
    np.testing.assert_array_equal(shard.cells("rare").counts, counts[1])
    np.testing.assert_array_equal(shard.within_cells("rare").counts, counts[1])
    with pytest.raises(ValueError, match="not in tuple"):
        shard.cells("mid")
