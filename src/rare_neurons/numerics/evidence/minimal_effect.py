"""The smallest effect that would have been found, from the noise alone: what "not reached" rules out."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy.special import stdtrit

from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.leave_outs import LeaveOuts

from .noise_draws import NoiseDraws, draw_errors, held
from .run import change_from_start, check_series

_NODES = 200  # quantiles over which the estimated standard deviation is averaged; 5,000 change no third digit


def run_effect(
    series: LeaveOuts,
    *,
    noise: NoiseDraws,
    critical_value: float,
    first: int,
    persistence: int = 2,
    power: float = 0.8,
) -> float:
    """Abrupt lasting change from checkpoint `first` on that the rule of `run.detect_change` would find.

    Bisection over the size, in the draws that calibrated the rule.

    Parameters
    ----------
    series : LeaveOuts, shape (step,)
    noise : NoiseDraws
    critical_value : float
        `RunEvidence.critical_value`.
    first : int
        Index of the first changed checkpoint, at least 1 and early enough for a window.
    persistence : int
    power : float

    Returns
    -------
    float
        In units of the statistic.

    Raises
    ------
    ValueError
        If `first` leaves no window, or there is no noise at a changed checkpoint.
    """
    check_series(series, persistence)
    if not 1 <= first <= len(series.value) - persistence:
        raise ValueError(f"first={first}, but a change must begin at 1 to {len(series.value) - persistence}")
    change = change_from_start(series)
    error = standard_error(change)
    if not np.all(error[first - 1 :] > 0):
        raise ValueError(f"no noise at a checkpoint from {first} on, so any change there would be found")
    drawn, scale = draw_errors(change, noise), noise.scale[:, None]
    shift = np.where(np.arange(len(error)) >= first - 1, 1.0, 0.0) / np.where(error > 0, error, 1.0)

    def excess(size: float) -> float:
        t = (drawn + size * shift) / scale
        found = np.maximum(held(t, persistence).max(-1), held(-t, persistence).max(-1)) >= critical_value
        return float(found.mean()) - power

    high = float(error.max())
    while excess(high) < 0:
        high *= 2
    return _root(excess, 0.0, high, xtol=high * 1e-4)


def single_effect(standard_error: float, freedom: float, *, level: float = 0.05, power: float = 0.8) -> float:
    """Effect that a one-sided t test with this standard error finds with the power asked: 2.65 se at 11 df.

    The standard error is taken as that of the statistic; for one estimated from few runs see `average_effect`.
    """
    return standard_error * _noncentrality(round(freedom, 1), level, power)


def average_effect(standard_error: float, freedom: float, *, level: float = 0.05, power: float = 0.8) -> float:
    """Effect that is found with the power asked on average over panels and sets of runs.

    A standard error from few runs is often too small, and the plain `single_effect` with it: of effects of that size
    fewer than `power` are found. The factor that repairs the average is 1.53, 1.32, 1.23, 1.10 for 3, 4, 5, 9 runs.

    Parameters
    ----------
    standard_error : float
        Estimated with `freedom` degrees of freedom.
    freedom : float
    level : float
        One-sided.
    power : float

    Returns
    -------
    float
        In units of the standard error's statistic.
    """
    freedom = round(freedom, 1)  # at most a few hundred values to solve for; 0.1 of 2 changes the effect by 2 %
    return standard_error * _noncentrality(freedom, level, power) * power_factor(freedom, level, power)


@lru_cache(maxsize=4096)
def power_factor(freedom: float, level: float, power: float) -> float:
    """Factor on the plug-in effect ``δ ŝ`` that makes the mean power over ŝ the power asked."""
    from scipy.stats import chi2, nct  # here: half a second of import, for every job that only words what was found

    estimated = np.sqrt(chi2.ppf((np.arange(_NODES) + 0.5) / _NODES, freedom) / freedom)
    plain, bound = _noncentrality(freedom, level, power), _upper_t(level, freedom)
    found = lambda factor: float(np.mean(nct.sf(bound, freedom, factor * plain * estimated)))  # noqa: E731
    return _root(lambda factor: found(factor) - power, 0.5, 20.0, xtol=1e-4)


@lru_cache(maxsize=4096)
def _noncentrality(freedom: float, level: float, power: float) -> float:
    from scipy.stats import nct

    bound = _upper_t(level, freedom)
    return _root(lambda shift: nct.sf(bound, freedom, shift) - power, 0.0, 200.0)


def _upper_t(level: float, freedom: float) -> float:
    """Value that Student's t exceeds with probability `level`."""
    return -float(stdtrit(freedom, level))


def _root(function: Callable[[float], float], low: float, high: float, **options: float) -> float:
    """Root by `scipy.optimize.brentq`, whose import only those jobs pay that look for one."""
    from scipy.optimize import brentq

    return float(brentq(function, low, high, **options))
