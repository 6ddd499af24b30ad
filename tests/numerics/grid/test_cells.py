import numpy as np
import pytest

from rare_neurons.numerics.grid.cells import count_cells, sum_cells
from tests.reference.grid import slow_cells


def test_sums_and_counts_equal_the_plain_loop():
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 5, (2, 40))
    values = rng.standard_normal((40, 3)).astype(np.float32)
    sums = sum_cells(values, rows, columns, n_folds=5)
    assert sums.shape == (3, 5, 5)
    for neuron in range(3):
        np.testing.assert_allclose(sums[neuron], slow_cells(values[:, neuron], rows, columns, 5), atol=1e-6)
    assert (count_cells(rows, columns, n_folds=5) == slow_cells(np.ones(40), rows, columns, 5)).all()


def test_empty_cells_and_no_targets_are_zero():
    assert sum_cells([2.0], [1], [0], n_folds=2).tolist() == [[0, 0], [2, 0]]
    assert not sum_cells(np.empty((0, 2)), [], [], n_folds=3).any()


@pytest.mark.parametrize(
    ("values", "rows", "columns", "message"),
    [
        ([1.0], [3], [0], r"document fold 3 to 3 outside \[0, 3\)"),
        ([1.0], [0], [-1], "type bin -1"),
        ([1.0, 2.0], [0], [0], "2 rows of values for 1 targets"),
        ([np.nan], [0], [0], "1 values are not finite"),
        ([1.0], [[0]], [[0]], "one number per target"),
    ],
)
def test_refusals(values, rows, columns, message):
    with pytest.raises(ValueError, match=message):
        sum_cells(values, np.array(rows), np.array(columns), n_folds=3)
