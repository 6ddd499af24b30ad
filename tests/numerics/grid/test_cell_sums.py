import numpy as np
import pytest

from rare_neurons.numerics.grid.cell_sums import CellSums


def test_neurons_are_kept_by_mask_and_by_index():
    cells = CellSums.of(np.arange(24).reshape(2, 3, 4), counts=np.ones((2, 3)))
    np.testing.assert_array_equal(cells.of_neurons(np.array([True, False, False, True])).sums, cells.sums[:, :, [0, 3]])
    np.testing.assert_array_equal(cells.of_neurons(np.array([3, 0])).sums, cells.sums[:, :, [3, 0]])
    assert (cells.n_neurons, cells.of_neurons(np.array([2])).n_neurons) == (4, 1)
    np.testing.assert_array_equal(cells.by_neuron[3], cells.sums[:, :, 3])


@pytest.mark.parametrize(("sums", "counts"), [((3, 4), (3, 4)), ((3, 4, 5), (4, 3)), ((3, 4, 5), (3,))])
def test_shapes_must_agree(sums, counts):
    with pytest.raises(ValueError, match=r"they must be \[fold bin neuron\] and \[fold bin\]"):
        CellSums.of(np.ones(sums), counts=np.ones(counts))


def test_what_is_not_finite_is_counted():
    with pytest.raises(ValueError, match="1 of 8 sums are not finite"):
        CellSums.of(np.where(np.arange(8).reshape(2, 2, 2) == 5, np.nan, 1.0), counts=np.ones((2, 2)))
