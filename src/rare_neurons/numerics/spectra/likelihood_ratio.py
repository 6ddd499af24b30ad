"""Likelihood ratios of a power-law tail against four alternatives (Clauset, Shalizi & Newman 2009, section 5).

With ``t = ln(x / xmin)`` a power law is an exponential law of t, and three of the alternatives contain it as a limit:
lognormal ``exp(a t - b t^2)`` and truncated power law ``exp(a t - b e^t)`` at ``b = 0``, the stretched exponential at
``beta = 0``. Written so, each fit is a search over one number, and a sample that is best described by the limit gives
a ratio of exactly 0 instead of an optimiser lost at infinity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, erfc

_PANELS, _ORDER = 24, 16
_RANGE = 45.0  # log-concave with mean 1: the mass beyond is below e^(1 - 45)
_TINY = 1e-12  # gain in mean log-likelihood below which the alternative is its own power-law limit


@dataclass(frozen=True, slots=True)
class TailComparison:
    """Power law against one alternative on the same tail, both by maximum likelihood.

    Attributes
    ----------
    log_ratio : float
        Log-likelihood of the power law minus that of the alternative, nats over the whole tail.
    ratio : float
        ``log_ratio`` over its standard error (Vuong 1989); positive favours the power law.
    p_value : float
        Two-sided p of the sign of the ratio; for the nested truncated power law the chi-squared p of the gain (Wilks),
        conservative because the null is at the edge of the alternative.
    """

    log_ratio: float
    ratio: float
    p_value: float


def compare_tails(tail: ArrayLike, *, xmin: float) -> dict[str, TailComparison]:
    """Compare the power law with exponential, lognormal, stretched exponential and truncated power law.

    Parameters
    ----------
    tail : array_like, shape (n_tail,)
        The values at or above ``xmin``, not all equal to it.
    xmin : float
        Start of the tail, positive.

    Returns
    -------
    dict of str to TailComparison
        Keys ``exponential, lognormal, stretched_exponential, truncated_power_law`` (whose exponent may have any sign).
        A ratio of 0 with p = 1 means that the best member of the alternative is the power law itself.

    Raises
    ------
    ValueError
        If a value lies below ``xmin`` or none above it.
    """
    x = np.asarray(tail, dtype=np.float64)
    if not xmin > 0 or x.ndim != 1 or x.size < 2 or not (x >= xmin).all() or not (x > xmin).any():
        raise ValueError(
            f"a tail of {x.size} values from {x.min(initial=np.inf):g}, "
            f"but xmin={xmin:g} must be positive, no value below it and one above it"
        )
    t = np.log(x / xmin)
    power_law = -np.log(t.mean()) - t / t.mean()
    alternatives: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64] | None]] = {
        "exponential": _exponential,
        "lognormal": lambda t: _tilted(t, np.square),
        "stretched_exponential": _stretched_exponential,
        "truncated_power_law": lambda t: _tilted(t, lambda s: _beyond_linear(s * t.mean()) / t.mean() ** 2),
    }
    return {
        name: _vuong(power_law, density(t), nested=name == "truncated_power_law")
        for name, density in alternatives.items()
    }


def _vuong(first: NDArray[np.float64], second: NDArray[np.float64] | None, *, nested: bool) -> TailComparison:
    """Ratio and p from log-densities per value; ``None`` stands for a second that equals the first."""
    if second is None:
        return TailComparison(0.0, 0.0, 1.0)
    difference = first - second
    total, error = float(difference.sum()), float(np.sqrt(difference.size) * difference.std())
    if error == 0:
        return TailComparison(total, 0.0, 1.0)
    p_value = chdtrc(1, 2 * abs(total)) if nested else erfc(abs(total) / error / np.sqrt(2))
    return TailComparison(total, total / error, float(p_value))


def _exponential(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-density of t when x is exponential beyond xmin."""
    excess = np.expm1(t)
    return -np.log(excess.mean()) - excess / excess.mean() + t


def _stretched_exponential(t: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Log-density of t at the best exponent of ``P(X > x) = exp(-c ((x / xmin)^beta - 1))``."""

    def log_density(beta: float) -> NDArray[np.float64]:
        grown = np.expm1(beta * t) / beta
        return -np.log(grown.mean()) - grown / grown.mean() + beta * t

    return _best(log_density, t, low=1e-6 / t.max(), high=600.0 / t.max())


def _beyond_linear(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """``2 (e^z - 1 - z)``: the cut-off without the part that only shifts the exponent of the power law."""
    series = z**2 * (1 + z / 3 + z**2 / 12)  # the difference has no digits left below 1e-4
    return np.where(z < 1e-4, series, 2 * (np.expm1(np.minimum(z, 700.0)) - z))


def _tilted(
    t: NDArray[np.float64], statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float64] | None:
    """Log-density of t at the best (a, b >= 0) of ``exp(a s - b statistic(s))``, ``s = t / mean(t)``.

    For fixed b the likelihood is largest where the mean of s is 1, as in the sample.
    """
    s, nodes, weights = t / t.mean(), *_quadrature()
    at_values, at_nodes = statistic(s), statistic(nodes)
    slope = -1.0

    def log_density(b: float) -> NDArray[np.float64]:
        nonlocal slope  # the last solution starts the next search
        slope, log_mass = _slope_of_mean_one(slope, b * at_nodes, nodes, weights)
        return slope * s - b * at_values - log_mass - np.log(t.mean())

    # Above the limit the density is narrower than the nodes are apart; no tail of a fit is that concentrated.
    return _best(log_density, t, low=1e-6 / at_values.max(), high=200.0 / at_values.mean())


def _slope_of_mean_one(
    slope: float, decay: NDArray[np.float64], nodes: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Slope a at which ``exp(a s - decay)`` on s >= 0 has mean 1, and the log of its mass: bracketed Newton."""
    low, high = -np.inf, np.inf
    for _ in range(200):
        exponent = slope * nodes - decay
        top = exponent.max()
        mass = weights * np.exp(exponent - top)
        total = mass.sum()
        mean = float(mass @ nodes / total)
        if abs(mean - 1) < 1e-11 or high - low < 1e-13 * (1 + abs(slope)):
            return slope, float(top + np.log(total))
        low, high = (slope, high) if mean < 1 else (low, slope)
        variance, reach = float(mass @ (nodes - mean) ** 2 / total), 1 + abs(slope)
        step = (1 - mean) / variance if variance > 0 else np.sign(1 - mean) * np.inf
        newton = slope + float(np.clip(step, -reach, reach))
        if newton == slope:
            return slope, float(top + np.log(total))
        slope = newton if low < newton < high else (low + high) / 2
    raise ArithmeticError(f"no tilt with mean 1 after 200 steps (slope {slope:g}, mean {mean:g})")


def _quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss-Legendre nodes on panels that are narrow where the densities bend most, near 0."""
    x, w = np.polynomial.legendre.leggauss(_ORDER)
    edges = _RANGE * np.linspace(0, 1, _PANELS + 1) ** 2
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel()


def _best(
    log_density: Callable[[float], NDArray[np.float64]], t: NDArray[np.float64], *, low: float, high: float
) -> NDArray[np.float64] | None:
    """Log-density at the most likely parameter in [low, high], or ``None`` if the power-law limit is as likely."""
    from scipy.optimize import minimize_scalar  # here: a sixth of a second of import, for all that read spectra alone

    found = minimize_scalar(
        lambda log_b: -log_density(np.exp(log_b)).mean(),
        bounds=(np.log(low), np.log(high)),
        method="bounded",
        options={"xatol": 1e-7},
    )
    power_law = -np.log(t.mean()) - 1
    return log_density(np.exp(found.x)) if -found.fun > power_law + _TINY else None
