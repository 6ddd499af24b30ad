"""The seed papers' conventions: exact forms recovered, and the picture that noise draws."""

import numpy as np
import pytest

from rare_neurons.numerics.regimes.seed_conventions import fit_fixed_cuts, fit_huber_form, rank_values


def test_fixed_cuts_of_an_exact_power_law():
    fit = fit_fixed_cuts(np.arange(1, 1938) ** -0.6)
    assert (fit.plateau_end, fit.decay_start) == (33, 245)
    assert fit.plateau_end / 1937 == pytest.approx(0.017, abs=5e-4)  # the published 1.7 % at N = 1937
    assert (1937 - fit.decay_start + 1) / 1937 == pytest.approx(0.874, abs=5e-4)  # and 87.4 %
    assert fit.rank_exponent == pytest.approx(0.6)
    assert fit.r_squared == pytest.approx(1)


def test_noise_draws_the_published_picture():
    values = np.abs(np.random.default_rng(0).standard_normal(2000))
    assert fit_fixed_cuts(values).r_squared > 0.9


def test_exact_form_is_recovered():
    n = 200
    x = np.log(np.arange(1, n + 1))
    left, right = x[29], x[119]
    third = np.log(np.maximum(np.log(n) - x, 1e-3)) - np.log(np.log(n) - right)
    y = np.where(x <= left, -0.02 * x, -0.02 * left - 0.5 * (np.minimum(x, right) - left) + (x > right) * 0.9 * third)
    fit = fit_huber_form(np.exp(y))
    assert abs(fit.plateau_end - 30) <= 1
    assert abs(fit.decay_start - 121) <= 1
    assert fit.rank_exponent == pytest.approx(0.5, abs=0.02)


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="2 of 3 values are not positive"):
        fit_fixed_cuts([1.0, 0.0, -1.0])
    with pytest.raises(ValueError, match="30 values leave 0 ranks in the window"):
        fit_fixed_cuts(np.ones(30))


def test_ranked_values_fall():
    np.testing.assert_array_equal(rank_values([1.0, 3.0, 2.0]), [3.0, 2.0, 1.0])
    with pytest.raises(ValueError, match="1 of 2 values are not positive and finite"):
        rank_values([np.inf, 1.0])
