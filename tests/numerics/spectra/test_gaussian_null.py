"""The null of alpha against real Gaussian matrices, closed forms and fits with the cut in place."""

import numpy as np
import pytest
from scipy.stats import chi2, ks_2samp, kstest

from rare_neurons.numerics.spectra.eigenvalues import eigenvalues
from rare_neurons.numerics.spectra.gaussian_null import (
    cut_of,
    draw_alpha_null,
    gaussian_eigenvalues,
    n_null_draws,
)
from rare_neurons.numerics.spectra.leaving import alpha_in_null
from rare_neurons.numerics.spectra.power_law import MIN_VALUE, fit_power_law


@pytest.mark.parametrize("shape", [(24, 24), (96, 24), (500, 24)])
def test_eigenvalues_are_those_of_gaussian_matrices(shape):
    rng = np.random.default_rng(3)
    drawn = np.array([gaussian_eigenvalues(*shape, rng) for _ in range(600)])
    real = np.array([eigenvalues(rng.standard_normal(shape)) for _ in range(600)])
    for statistic in (lambda x: x[:, 0], lambda x: x[:, -1], lambda x: np.median(x, axis=1), lambda x: x.sum(axis=1)):
        # Seeded; twelve comparisons, so that one of them falls below 0.001 in 1 % of the seeds.
        assert ks_2samp(statistic(drawn), statistic(real)).pvalue > 0.001


def test_closed_forms_of_the_smallest_shapes_and_of_the_trace():
    rng = np.random.default_rng(4)
    single = np.array([gaussian_eigenvalues(5, 1, rng)[0] for _ in range(2000)])
    assert kstest(single, chi2(5).cdf).pvalue > 0.001
    pairs = np.array([gaussian_eigenvalues(2, 2, rng) for _ in range(2000)])
    total = pairs.sum(axis=1)
    assert kstest(total, chi2(4).cdf).pvalue > 0.001
    determinant = pairs.prod(axis=1)  # |det| of two Gaussian vectors: product of chi(2) and chi(1) lengths
    product = rng.chisquare(2, 2000) * rng.chisquare(1, 2000)
    assert ks_2samp(determinant, product).pvalue > 0.001


@pytest.mark.parametrize("sides", [(3, 4), (4, 0)])
def test_sides_out_of_range_are_refused(sides):
    with pytest.raises(ValueError, match=f"sides {sides[0]} and {sides[1]}, but a matrix has long >= short >= 1"):
        gaussian_eigenvalues(*sides, np.random.default_rng(0))


def test_a_null_is_sorted_repeats_and_knows_no_order_of_the_sides():
    one = draw_alpha_null(60, 40, 50, np.random.default_rng(1))
    two = draw_alpha_null(40, 60, 50, np.random.default_rng(1))
    assert one == two
    assert (one.long, one.short, one.n_draws, len(one.alpha)) == (60, 40, 50, 50)
    assert one.alpha == sorted(one.alpha)
    assert one.lambda_max_over_median == sorted(one.lambda_max_over_median)
    with pytest.raises(ValueError, match="n_draws=0, but a null needs at least 1"):
        draw_alpha_null(4, 4, 0, np.random.default_rng(0))


def test_matrices_without_enough_eigenvalues_have_a_null_of_the_ratio_alone():
    null = draw_alpha_null(100, 19, 30, np.random.default_rng(1))
    assert (null.alpha, null.cut_limit, len(null.lambda_max_over_median)) == ([], None, 30)
    assert len(draw_alpha_null(100, 20, 30, np.random.default_rng(1)).alpha) == 30
    assert draw_alpha_null(100, 20, 30, np.random.default_rng(1), min_tail=25).alpha == []


def test_below_the_limit_no_cut_changes_a_draw_and_above_it_one_does():
    sides, n = (48, 48), 40
    null = draw_alpha_null(*sides, n, np.random.default_rng(7))
    rng = np.random.default_rng(7)
    draws = [gaussian_eigenvalues(*sides, rng) for _ in range(n)]

    def refitted(cut):
        """Exponents of the draws scaled so that `cut` of their mean squared entries is the fit's own cut."""
        scaled = [values * (sides[0] * sides[1] / values.sum()) * (MIN_VALUE / cut) for values in draws]
        return [fit_power_law(values).alpha for values in scaled]

    below = refitted(0.999 * null.cut_limit)
    assert sorted(below) == pytest.approx(null.alpha, rel=1e-9)  # scaled values differ in their last digits
    above = refitted(1.001 * null.cut_limit)
    assert sum(a is None or a != pytest.approx(b, rel=1e-9) for a, b in zip(above, below, strict=True)) == 1


@pytest.mark.parametrize(("shape", "sd"), [((96, 96), 0.02), ((64, 256), 0.02), ((48, 48), 0.004)])
def test_p_of_gaussian_weights_is_uniform_whatever_their_scale(shape, sd):
    rng = np.random.default_rng(11)
    null = draw_alpha_null(*shape, 999, rng)
    alphas, p = [], []
    for _ in range(150):
        weights = (sd * rng.standard_normal(shape)).astype(np.float32)
        alphas.append(fit_power_law(eigenvalues(weights)).alpha)
        p.append(alpha_in_null(alphas[-1], null, mean_square=float(np.mean(weights.astype(float) ** 2))).p)
    # The draws are a sample too, which the comparison with them allows for. Seeded: 1 % over the three cases.
    assert ks_2samp(alphas, null.alpha).pvalue > 0.003
    assert kstest(p, "uniform").pvalue > 0.001


def test_draws_grow_with_the_matrices_that_are_judged():
    assert [n_null_draws(n) for n in (0, 20, 146)] == [999, 999, 5840]
    # The smallest p must lie below the share of the level that one matrix has.
    assert all(1 / (n_null_draws(n) + 1) < 0.05 / n for n in range(1, 400))
    assert cut_of(4e-4) == pytest.approx(0.025)
