"""Likelihood ratios equal powerlaw's where its optimiser converges, closed forms, and know their limits."""

import contextlib
import io
import warnings

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from rare_neurons.numerics.spectra.likelihood_ratio import compare_tails

SAMPLES = {
    "pareto": lambda rng: 1 + rng.pareto(1.5, 300),
    "lognormal": lambda rng: np.exp(1 + rng.standard_normal(300)),
    "weibull": lambda rng: 0.5 + rng.weibull(0.6, 300),
    "cut_off": lambda rng: (u := 1 + rng.pareto(0.6, 900))[rng.random(900) < np.exp(-0.05 * u)],
}


def peer_log_ratio(tail, xmin, alternative):
    import powerlaw

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        fit = powerlaw.Fit(tail, xmin=xmin, parameter_ranges={"alpha": [1, None]}, verbose=0)
        return fit.distribution_compare("power_law", alternative, normalized_ratio=False)


@pytest.mark.parametrize("alternative", ["exponential", "lognormal", "stretched_exponential"])
@pytest.mark.parametrize("sample", ["lognormal", "weibull", "cut_off"])
def test_log_ratio_equals_powerlaw(sample, alternative):
    tail = SAMPLES[sample](np.random.default_rng(1))
    ours = compare_tails(tail, xmin=tail.min())[alternative]
    theirs, p_value = peer_log_ratio(tail, tail.min(), alternative)
    assert ours.log_ratio == pytest.approx(theirs, rel=1e-6, abs=1e-6)
    assert ours.p_value == pytest.approx(p_value, abs=1e-4)


def test_truncated_power_law_is_at_least_as_likely_as_powerlaws():
    tail = SAMPLES["cut_off"](np.random.default_rng(1))[:120]
    ours = compare_tails(tail, xmin=tail.min())["truncated_power_law"]
    theirs, p_value = peer_log_ratio(tail, tail.min(), "truncated_power_law")
    assert theirs - 1e-3 < ours.log_ratio < theirs + 1e-9
    assert ours.p_value == pytest.approx(p_value, rel=1e-3)


@pytest.mark.parametrize("sample", SAMPLES)
def test_lognormal_ratio_equals_a_search_over_mu_and_sigma(sample):
    tail = SAMPLES[sample](np.random.default_rng(3))
    xmin = tail.min()
    t = np.log(tail / xmin)

    def minus_log_likelihood(parameters):
        mu, sigma = parameters[0], np.exp(parameters[1])
        return stats.norm.logsf(0, mu, sigma) * t.size - stats.norm.logpdf(t, mu, sigma).sum()

    options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 4000}
    found = optimize.minimize(minus_log_likelihood, [0.0, 0.0], method="Nelder-Mead", options=options)
    expected = stats.expon(scale=t.mean()).logpdf(t).sum() + found.fun
    # The power law is the limit mu -> -inf, which this search approaches and ours contains.
    assert compare_tails(tail, xmin=xmin)["lognormal"].log_ratio == pytest.approx(min(expected, 0), abs=1e-6)


def test_exponential_ratio_is_the_closed_form():
    tail = SAMPLES["weibull"](np.random.default_rng(7))
    xmin = tail.min()
    alpha = 1 + tail.size / np.log(tail / xmin).sum()
    power_law = np.log((alpha - 1) / xmin) - alpha * np.log(tail / xmin)
    rate = 1 / (tail - xmin).mean()
    difference = power_law - (np.log(rate) - rate * (tail - xmin))
    ours = compare_tails(tail, xmin=xmin)["exponential"]
    assert ours.log_ratio == pytest.approx(difference.sum(), rel=1e-12)
    assert ours.ratio == pytest.approx(difference.sum() / (difference.std() * np.sqrt(tail.size)), rel=1e-12)
    assert ours.p_value == pytest.approx(2 * stats.norm.sf(abs(ours.ratio)), rel=1e-12)


def test_power_law_limit_is_a_ratio_of_zero():
    tail = np.exp(np.concatenate([np.zeros(30), [0.1] * 10, [5.0]]))
    comparisons = compare_tails(tail, xmin=1.0)
    for name in ("lognormal", "stretched_exponential", "truncated_power_law"):
        assert (comparisons[name].ratio, comparisons[name].p_value) == (0.0, 1.0)


@pytest.mark.parametrize("spread", [1e-6, 1e-3, 1.0, 1e3])
@pytest.mark.parametrize("size", [2, 3, 8, 200])
def test_every_tail_with_spread_has_finite_ratios_and_no_gain_for_the_limit(size, spread):
    rng = np.random.default_rng(size)
    for tail in (
        1 + spread * rng.random(size),
        1 + spread * rng.pareto(1.0, size),
        1 + spread * (np.arange(size) == 0),
    ):
        comparisons = compare_tails(tail, xmin=tail.min())
        assert np.isfinite([[c.log_ratio, c.ratio, c.p_value] for c in comparisons.values()]).all()
        for name in ("lognormal", "stretched_exponential", "truncated_power_law"):
            assert comparisons[name].log_ratio <= 0  # they contain the power law


def test_truncated_power_law_equals_a_search_over_exponent_and_cut_off():
    tail = SAMPLES["cut_off"](np.random.default_rng(2))
    xmin = tail.min()
    u = tail / xmin
    t = np.log(u)

    def minus_log_likelihood(parameters):
        alpha, rate = parameters[0], np.exp(parameters[1])
        mass, _ = integrate.quad(lambda z: np.exp((1 - alpha) * z - rate * np.exp(z)), 0, 12, epsabs=0, epsrel=1e-11)
        return alpha * t.sum() + rate * u.sum() + t.size * np.log(mass) - t.sum()

    options = {"xatol": 1e-7, "fatol": 1e-10}
    found = optimize.minimize(minus_log_likelihood, [1.5, -3.0], method="Nelder-Mead", options=options)
    expected = stats.expon(scale=t.mean()).logpdf(t).sum() + found.fun
    assert compare_tails(tail, xmin=xmin)["truncated_power_law"].log_ratio == pytest.approx(expected, abs=1e-6)


def test_ratios_point_to_the_truth():
    rng = np.random.default_rng(0)
    lognormal = np.exp(rng.standard_normal(2000))
    assert compare_tails(lognormal, xmin=lognormal.min())["lognormal"].ratio < -5
    pareto = 1 + rng.pareto(2.0, 2000)
    comparisons = compare_tails(pareto, xmin=1.0)
    assert comparisons["exponential"].ratio > 3
    assert comparisons["truncated_power_law"].p_value > 0.01


@pytest.mark.parametrize("tail", [[1.0, 1.0, 1.0], [0.5, 2.0], [1.0]])
def test_tail_without_spread_or_below_xmin_is_refused(tail):
    with pytest.raises(ValueError, match="xmin=1 must be positive, no value below it and one above it"):
        compare_tails(tail, xmin=1.0)
