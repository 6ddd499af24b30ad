"""Null tables: their sizes, their streams, and families whose shape is known."""

import numpy as np
import pytest

from rare_neurons.numerics.regimes.null_tables import null_table_sizes, regime_null_table
from rare_neurons.numerics.regimes.statistic import cell_edges


def test_tables_are_reproducible_and_sized_for_single_signs():
    assert null_table_sizes(384) == (384, 272, 192, 136, 96, 68)
    assert null_table_sizes(40) == ()
    one, two = (regime_null_table(80, n_draws=20, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.statistic, two.statistic)
    assert (one.statistic[:, 1:] >= one.statistic[:, :-1]).all()
    with pytest.raises(ValueError, match="n=50 neurons"):
        regime_null_table(50, n_draws=10, seed=0)


def test_a_power_laws_spacings_have_one_mean_and_every_length_is_there():
    table = regime_null_table(200, n_draws=300, seed=0)
    row = np.flatnonzero(table.family == "power_law")
    assert table.n_spacings[row].tolist() == [30, 35, 50, 71, 100]
    width = np.diff(cell_edges(100))
    # Exponentials of mean 1: the mean of a cell of w ranks over 300 draws has the error 1 / sqrt(300 w).
    assert (np.abs(table.mean_spacing[row[0]] - 1) < 4.5 / np.sqrt(300 * width)).all()


def test_another_size_leaves_the_streams_of_the_first_alone():
    one, two = regime_null_table(80, n_draws=5, seed=3), regime_null_table(90, n_draws=5, seed=3)
    assert not np.array_equal(one.statistic[0], two.statistic[0])
    with pytest.raises(ValueError, match="30 spacings above the median need 62"):
        regime_null_table(61, n_draws=5, seed=0)
