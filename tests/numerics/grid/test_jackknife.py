import numpy as np
import pytest
from scipy.stats import t as student_t

from rare_neurons.numerics.grid.jackknife import one_way_variance, standard_error, t_interval, two_way_variance
from rare_neurons.numerics.grid.moments import mean_leave_outs, mean_square_leave_outs
from tests.numerics.grid.test_moments import panel
from tests.reference.grid import slow_mean, slow_power_mean, slow_two_way


def test_of_a_plain_mean_it_is_the_textbook_variance():
    x = np.array([1.0, 2.0, 4.0, 9.0])
    leave_outs = (x.sum() - x) / 3
    assert one_way_variance(leave_outs) == pytest.approx(x.var(ddof=1) / 4)


@pytest.mark.parametrize("seed", range(3))
def test_two_way_variance_equals_the_plain_loop(seed):
    sums, counts = panel(seed, size=5)
    mean = two_way_variance(mean_leave_outs(sums[0], counts))
    assert mean == pytest.approx(slow_two_way(lambda **out: slow_mean(sums[0], counts, **out), 5))
    square = two_way_variance(mean_square_leave_outs(sums, counts))
    assert square == pytest.approx(slow_two_way(lambda **out: slow_power_mean(sums, counts, 2, **out), 5))


def test_each_kind_of_effect_has_its_own_variance():
    rng = np.random.default_rng(0)
    row, cell = rng.standard_normal((2000, 12, 1)), rng.standard_normal((2000, 12, 12))
    counts = np.full((12, 12), 5.0)
    by_row = two_way_variance(mean_leave_outs(counts * row, counts)).mean()
    by_column = two_way_variance(mean_leave_outs(counts * row.swapaxes(1, 2), counts)).mean()
    alone = two_way_variance(mean_leave_outs(counts * cell, counts)).mean()
    # The subtracted cell variance contains 1/D of what rows add: a bias of −8 % in variance, 4 % in width.
    assert by_row == pytest.approx(1 / 12 - 1 / 144, rel=0.03)
    assert by_column == pytest.approx(1 / 12 - 1 / 144, rel=0.03)
    assert 1 / 144 <= alone < 1.35 / 144


def test_interval_is_students_with_one_degree_less_than_folds():
    sums, counts = panel(1, size=5)
    statistic = mean_leave_outs(sums[0], counts)
    found = t_interval(statistic, confidence=0.9)
    half = student_t.ppf(0.95, 4) * float(standard_error(statistic))
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_an_array_or_an_impossible_confidence_is_refused():
    sums, counts = panel(1)
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        t_interval(mean_leave_outs(sums, counts))
    with pytest.raises(ValueError, match="confidence 90"):
        t_interval(mean_leave_outs(sums[0], counts), confidence=90)


def test_jackknife_of_a_mean_is_its_variance():
    values = np.random.default_rng(0).normal(size=12)
    leave_outs = (values.sum() - values) / 11
    assert one_way_variance(leave_outs) == pytest.approx(values.var(ddof=1) / 12)
