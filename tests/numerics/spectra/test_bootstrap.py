"""Sensitivity band and goodness of fit: small copies of benchmarks/calibration/alpha.py, and what is not defined."""

from functools import partial

import numpy as np
import pytest

from benchmarks.calibration.alpha import coverage, gof_rejections, pareto, tail_on_bulk
from rare_neurons.numerics.spectra.bootstrap import bootstrap_alpha, goodness_of_fit, synthetic_sample
from rare_neurons.numerics.spectra.power_law import PowerLawFit, fit_power_law


@pytest.mark.parametrize(
    "sampler",
    [partial(pareto, alpha=3.0, size=150), partial(tail_on_bulk, alpha=3.0, size=400, share=0.3)],
    ids=["pareto", "tail_of_30_percent"],
)
def test_band_of_independent_values_holds_the_exponent(sampler):
    found = coverage(sampler, 3.0, n_samples=60, refits=60, seed=3)
    # 90 %: 0.99 of binomial draws of 60 are at least 48; the truth must also be missed sometimes.
    assert 48 <= 60 * found.coverage < 60
    assert abs(found.bias) < 4 * found.scatter / np.sqrt(60) + 0.1


def test_goodness_of_fit_accepts_a_power_law_and_rejects_a_bounded_sample():
    # p <= 0.1 on 10 % of power laws by construction (fewer, as xmin is fitted): 0.99 of draws of 30 are at most 8.
    assert gof_rejections(partial(pareto, alpha=2.5, size=120), n_samples=30, refits=39) <= 8 / 30
    values = 1 + np.random.default_rng(0).random(400)
    fit = fit_power_law(values, min_tail=200)
    assert goodness_of_fit(values, fit, np.random.default_rng(1), refits=39, min_tail=200) == 1 / 40


def test_synthetic_samples_keep_the_body_the_share_and_the_exponent():
    fit = PowerLawFit(alpha=2.5, xmin=3.0, ks_distance=0.05, n_tail=200, n=500, status="ok", reason="")
    body = np.linspace(0.1, 2.9, 300)
    drawn = synthetic_sample(body, 50_000, fit, np.random.default_rng(1))
    tail = drawn[drawn >= 3.0]
    assert drawn.size == 50_000
    assert set(drawn[drawn < 3.0]) <= set(body)
    assert abs(tail.size / 50_000 - 0.4) < 4 * np.sqrt(0.24 / 50_000)
    excess = np.log(tail / 3.0)
    assert abs(excess.mean() - 1 / 1.5) < 4 * excess.std() / np.sqrt(tail.size)


def test_no_synthetic_samples_mean_no_p_value():
    values = 1 + np.random.default_rng(0).pareto(2.0, 200)
    assert goodness_of_fit(values, fit_power_law(values), np.random.default_rng(1), refits=0) is None


def test_band_is_null_where_resamples_cannot_be_fitted():
    values = np.ones(30)
    values[0] = 2.0
    assert bootstrap_alpha(values, np.random.default_rng(0), refits=50) is None  # a third of the resamples is constant
    with pytest.raises(ValueError, match="refits=0, but a band needs at least 1"):
        bootstrap_alpha(values, np.random.default_rng(0), refits=0)
