import numpy as np
import pytest

from rare_neurons.numerics.regimes.huber import fit_huber_regimes, solve_pair
from rare_neurons.numerics.regimes.huber_search import Curve
from rare_neurons.numerics.regimes.seed_conventions import fit_fixed_cuts, fit_huber_form
from tests.reference.regimes import exhaustive_huber, huber_objective


def _curve(y):
    x = np.log(np.arange(1, len(y)))
    return Curve(x, np.log(np.log(len(y)) - x), y[:-1])


def _log_values(kind, n, seed):
    rng = np.random.default_rng(seed)
    values = {
        "half-normal": lambda: rng.standard_normal(n),
        "half-t": lambda: rng.standard_t(2, n),
        "lognormal": lambda: np.exp(rng.standard_normal(n)),
        "gamma": lambda: rng.gamma(0.3, size=n),  # tiny values: many ranks beyond tau
    }[kind]()
    return np.log(np.sort(np.abs(values))[::-1])


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


@pytest.mark.parametrize("kind", ["half-normal", "half-t", "lognormal", "gamma"])
@pytest.mark.parametrize("seed", range(3))
def test_search_equals_every_pair_solved(kind, seed):
    y = _log_values(kind, 30, seed)
    fit = fit_huber_regimes(y)
    pairs = [(i, j) for i in range(3, 24) for j in range(i + 3, 27)]
    solved = {pair: solve_pair(_curve(y), *pair)[0] for pair in pairs}
    best = min(solved, key=solved.get)
    assert fit.objective == pytest.approx(solved[best], rel=1e-9)
    assert (fit.plateau_end, fit.decay_start) == (best[0], best[1] + 1)


def test_objective_equals_a_plain_exhaustive_reference():
    y = _log_values("gamma", 14, 1)
    fit = fit_huber_regimes(y)
    objective, plateau_end, decay_start = exhaustive_huber(y)
    assert fit.objective == pytest.approx(objective, rel=1e-6)
    assert (fit.plateau_end, fit.decay_start) == (plateau_end, decay_start)
    assert huber_objective(fit.coefficients, plateau_end, decay_start - 1, y) == pytest.approx(fit.objective)


def test_no_pair_nearby_or_drawn_is_better_at_two_thousand_neurons():
    y = _log_values("half-t", 2048, 4)
    fit = fit_huber_regimes(y)
    rng, curve = np.random.default_rng(0), _curve(y)
    drawn = [tuple(sorted(rng.choice(np.arange(5, 2040), 2, replace=False))) for _ in range(40)]
    near = [(fit.plateau_end + a, fit.decay_start - 1 + b) for a in (-2, -1, 1, 2) for b in (-2, -1, 1, 2)]
    for i, j in drawn + near:
        if j - i >= 3:
            assert solve_pair(curve, i, j)[0] >= fit.objective


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
    with pytest.raises(ValueError, match="form needs 10"):
        fit_huber_regimes(np.zeros(5))
    with pytest.raises(ValueError, match="falling order"):
        fit_huber_regimes(np.arange(20.0))
