"""Scaled log-spacings and T, against a plain reference and closed forms."""

import numpy as np
import pytest

from rare_neurons.numerics.regimes.statistic import cell_edges, fit_levels, log_spacings
from tests.reference.regimes import plain_levels


def test_spacings_of_an_exact_power_law_follow_their_formula():
    ranks = np.arange(1, 101)
    spacings = log_spacings(3.0 * ranks**-0.7, 99)
    np.testing.assert_allclose(spacings, 0.7 * ranks[:-1] * np.log1p(1 / ranks[:-1]))


def test_spacings_of_a_pareto_sample_are_exponential():
    x = np.random.default_rng(0).random((400, 60)) ** -0.5  # rank exponent 1/2
    spacings = log_spacings(x, 50)
    np.testing.assert_allclose(spacings.mean(axis=0), 0.5, atol=4.5 * 0.5 / np.sqrt(400))
    assert abs(np.corrcoef(spacings[:, 9], spacings[:, 10])[0, 1]) < 0.2


def test_cells_are_single_ranks_first_and_cover_all():
    edges = cell_edges(500)
    assert edges[0] == 0
    assert edges[-1] == 500
    assert (np.diff(edges) > 0).all()
    assert (np.diff(edges)[:40] == 1).all()
    assert len(edges) < 120


@pytest.mark.parametrize(("seed", "m"), [(0, 20), (1, 33), (2, 90), (3, 160)])
def test_statistic_equals_a_plain_reference(seed, m):
    rng = np.random.default_rng(seed)
    spacings = rng.exponential(np.where(np.arange(m) < m // 4, 0.1, np.where(np.arange(m) < m // 2, 0.9, 2)))
    fit = fit_levels(spacings)
    statistic, first, second, exponent = plain_levels(spacings, cell_edges(m))
    assert fit.statistic[0] == pytest.approx(statistic, abs=1e-4)
    assert (fit.first[0], fit.second[0]) == (first, second)
    assert fit.exponent[0] == pytest.approx(exponent)


def test_statistic_is_free_of_scale_and_power():
    x = np.abs(np.random.default_rng(4).standard_t(3, 300))
    one, two = (fit_levels(log_spacings(values, 150)) for values in (x, (7 * x) ** 2.5))
    assert two.statistic[0] == pytest.approx(one.statistic[0], abs=1e-6)
    assert two.exponent[0] == pytest.approx(2.5 * one.exponent[0])


def test_levels_that_do_not_rise_are_no_regimes():
    falling = np.exp(-np.arange(60) / 10)
    assert np.isneginf(fit_levels(falling).statistic[0])
    assert np.isfinite(fit_levels(falling[::-1]).statistic[0])


def test_batches_do_not_change_the_result():
    s = np.random.default_rng(5).exponential(size=(300, 40))
    np.testing.assert_allclose(fit_levels(s).statistic[[0, 150, 299]], fit_levels(s[[0, 150, 299]]).statistic)


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="10 spacings, but three levels need 15"):
        fit_levels(np.ones(10))
    with pytest.raises(ValueError, match="5 spacings of 5 values"):
        log_spacings(np.ones(5), 5)
