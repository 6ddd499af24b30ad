import numpy as np
import pytest

from rare_neurons.numerics.grid.leave_outs import LeaveOuts, combine, stack
from rare_neurons.numerics.grid.moments import mean_leave_outs


@pytest.fixture
def series():
    rng = np.random.default_rng(0)
    return mean_leave_outs(rng.standard_normal((3, 5, 5)), np.ones((5, 5)))


def parts(statistic):
    return statistic.value, statistic.row, statistic.column, statistic.cell


def test_selecting_and_stacking_are_inverse(series):
    again = stack([series[k] for k in range(3)])
    assert all((a == b).all() for a, b in zip(parts(series), parts(again), strict=True))
    assert series[1].value.shape == ()
    assert series.n_folds == 5


def test_differences_and_means_act_on_every_leave_out(series):
    difference = series[1:] - series[:1]
    assert difference.cell.shape == (2, 5, 5)
    np.testing.assert_allclose(difference.cell[1], series.cell[2] - series.cell[0])
    np.testing.assert_allclose(series.mean().row, series.row.mean(0))


def test_a_logarithm_exists_only_where_all_leave_outs_are_positive(series):
    assert not series.all_positive()
    positive = combine(np.exp, series)
    assert positive.all_positive()
    np.testing.assert_allclose(combine(np.log, positive).column, series.column)


def test_an_empty_stack_is_refused():
    with pytest.raises(ValueError, match="no statistics"):
        stack([])


def test_an_estimate_cannot_be_changed(series):
    with pytest.raises(AttributeError):
        series.value = 0
    assert isinstance(series, LeaveOuts)
