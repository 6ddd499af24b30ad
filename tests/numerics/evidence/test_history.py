import numpy as np
import pytest

from rare_neurons.numerics.evidence.history import History, Moments, on_grid
from rare_neurons.numerics.grid.moments import disjoint_products, mean_leave_outs, mean_square_leave_outs
from tests.numerics.evidence.worlds import COUNTS, means


def test_moments_of_a_layer_are_those_of_its_neurons():
    rng = np.random.default_rng(0)
    sums = COUNTS * (0.4 + rng.standard_normal((30, 12, 12)))
    moments = Moments(COUNTS, sums.mean(axis=0), disjoint_products(sums).mean(axis=0))
    for found, slow in (
        (moments.mean(), mean_leave_outs(sums.mean(axis=0), COUNTS)),
        (moments.square(), mean_square_leave_outs(sums, COUNTS)),
    ):
        for part in ("value", "row", "column", "cell"):
            np.testing.assert_allclose(getattr(found, part), getattr(slow, part), rtol=1e-12)


def test_cells_that_are_not_named_are_empty():
    grid = on_grid([0, 2], [1, 2], [5.0, 7.0], n_folds=3)
    assert grid.tolist() == [[0, 5, 0], [0, 0, 0], [0, 0, 7]]


def test_a_value_is_found_by_its_step():
    history = History((0, 8, 16), means([1.0, 2.0, 3.0], np.random.default_rng(1), size=0.0))
    assert history.at(8).value == pytest.approx(2.0)
    with pytest.raises(ValueError, match="not in tuple"):
        history.at(4)
