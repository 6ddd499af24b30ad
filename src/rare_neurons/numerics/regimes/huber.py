"""The seed papers' three-regime form, minimised over every pair of breakpoints instead of by random search."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.regimes.huber_search import CONTINUITY_PENALTY, D_PENALTY, MIN_POINTS, TAU, Curve, best_pair

_NEWTON_STEPS = 50
_MAX_HALVINGS = 12
_MAX_ROUNDS = 8  # of the set of outlying ranks; two or three are usual


@dataclass(frozen=True)
class HuberRegimes:
    """Ranks 1..plateau_end | plateau_end + 1..decay_start - 1 | decay_start..n - 1 and (a1, b1, a2, b2, a3, d)."""

    plateau_end: int
    decay_start: int
    coefficients: tuple[float, float, float, float, float, float]
    objective: float
    r_squared: float


def fit_huber_regimes(log_values: ArrayLike) -> HuberRegimes:
    """Fit ``a1 + b1 x | a2 + b2 x | a3 + d ln(ln N - x)`` over x = ln rank, N the number of values.

    The objective is ``sum huber(residual; tau = 1) + 1.0 (gap_1^2 + gap_2^2) + 0.1 d^2``, with the gaps between
    neighbouring pieces taken at the last rank of the left one. For given breakpoints and a given set of ranks beyond
    tau it is quadratic in the six coefficients, and its minimum follows from prefix sums: it is compared over *all*
    pairs of breakpoints (branch and bound: pairs that cannot be best by their penalty-free minimum are not
    completed). The convex problem at the best pair is then solved by Newton steps, which updates the set of ranks
    beyond tau, until set or pair repeats. The result is exact where that set is the same at all pairs that compete;
    tests compare it with the exhaustive minimum.

    Parameters
    ----------
    log_values : array [rank]
        Natural log of the values in falling order.

    Raises
    ------
    ValueError
        For fewer than 10 values, values out of order or not finite.

    Notes
    -----
    Cost: a few milliseconds at n = 2,000; O(n^2) in the worst case.
    """
    y = np.asarray(log_values, dtype=float)
    if y.ndim != 1 or len(y) < 3 * MIN_POINTS + 1:
        raise ValueError(f"{y.size} values, but the three-regime form needs {3 * MIN_POINTS + 1}")
    if not np.isfinite(y).all() or np.any(np.diff(y) > 0):
        raise ValueError("log values must be finite and in falling order")
    x = np.log(np.arange(1, len(y)))
    curve = Curve(x, np.log(np.log(len(y)) - x), y[:-1])
    outlying, best, pair, seen = np.zeros(len(x)), None, None, set()
    for _ in range(_MAX_ROUNDS):
        pair = best_pair(curve, outlying, pair)
        if pair in seen:
            break
        seen.add(pair)
        objective, theta, residual = solve_pair(curve, *pair)
        if best is None or objective < best[0]:
            best = objective, theta, residual, pair
        update = np.where(np.abs(residual) > TAU, np.sign(residual), 0.0)
        if np.array_equal(update, outlying):
            break
        outlying = update
    objective, theta, residual, (i, j) = best
    r_squared = 1 - np.sum(residual**2) / np.sum((curve.y - curve.y.mean()) ** 2)
    return HuberRegimes(i, j + 1, tuple(float(c) for c in theta), float(objective), float(r_squared))


def solve_pair(curve: Curve, i: int, j: int) -> tuple[float, NDArray, NDArray]:
    """Minimise the convex objective at breakpoints i, j (last ranks of the first and second piece).

    Returns the objective, the coefficients [6] and the residuals [rank].
    """
    design, penalty = _design(curve, i, j)
    ridge = 2 * penalty.T @ penalty
    theta = np.linalg.solve(design.T @ design + ridge, design.T @ curve.y)
    objective, residual = _objective(design, penalty, curve.y, theta)
    for _ in range(_NEWTON_STEPS):
        inner = np.abs(residual) <= TAU
        if inner.all():
            break  # quadratic there, and solved
        gradient = design.T @ np.clip(residual, -TAU, TAU) - ridge @ theta
        curvature = (design * inner[:, None]).T @ design + ridge
        step = np.linalg.lstsq(curvature, gradient)[0]
        if gradient @ step <= 1e-13 * objective:
            break
        theta, objective, residual = _descend(design, penalty, curve.y, theta, step, objective)
    return objective, theta, residual


def _objective(design: NDArray, penalty: NDArray, y: NDArray, theta: NDArray) -> tuple[float, NDArray]:
    residual = y - design @ theta
    inner = np.minimum(np.abs(residual), TAU)
    return float(inner @ (np.abs(residual) - inner / 2) + np.sum((penalty @ theta) ** 2)), residual


def _descend(
    design: NDArray, penalty: NDArray, y: NDArray, theta: NDArray, step: NDArray, objective: float
) -> tuple[NDArray, float, NDArray]:
    """Take the Newton step, halved until the objective falls."""
    for halvings in range(_MAX_HALVINGS):
        candidate = theta + step / 2**halvings
        value, residual = _objective(design, penalty, y, candidate)
        if value < objective:
            return candidate, value, residual
    return theta, objective, y - design @ theta


def _design(curve: Curve, i: int, j: int) -> tuple[NDArray, NDArray]:
    n = len(curve.x)
    design = np.zeros((n, 6))
    design[:i, 0], design[i:j, 2], design[j:, 4] = 1, 1, 1
    design[:i, 1], design[i:j, 3], design[j:, 5] = curve.x[:i], curve.x[i:j], curve.g[j:]
    left, right = curve.x[i - 1], curve.x[j - 1]
    penalty = np.zeros((3, 6))
    penalty[0, :4] = 1, left, -1, -left
    penalty[1, 2:] = 1, right, -1, -curve.g[j - 1]
    penalty[:2] *= np.sqrt(CONTINUITY_PENALTY)
    penalty[2, 5] = np.sqrt(D_PENALTY)
    return design, penalty
