"""The seeds' penalised Huber form, against every pair of breakpoints and a plain objective."""

import numpy as np
import pytest

from rare_neurons.numerics.regimes.huber import fit_huber_regimes, solve_pair
from rare_neurons.numerics.regimes.huber_search import Curve
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


def test_too_few_or_unordered_values_are_refused():
    with pytest.raises(ValueError, match="form needs 10"):
        fit_huber_regimes(np.zeros(5))
    with pytest.raises(ValueError, match="falling order"):
        fit_huber_regimes(np.arange(20.0))
