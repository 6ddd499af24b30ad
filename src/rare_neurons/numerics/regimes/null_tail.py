"""P-values of a statistic from draws of its null, beyond what counting draws can resolve."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

_TAIL = 0.1  # share of the draws that the exponential is fitted to
_MIN_TAIL = 10  # draws; fewer give no mean excess worth having


def empirical_p(draws: NDArray[np.float64], statistic: float) -> float:
    """``(1 + draws at or above) / (1 + draws)``; draws sorted upwards."""
    return float((len(draws) - np.searchsorted(draws, statistic, side="left") + 1) / (len(draws) + 1))


def tail_p(draws: ArrayLike, statistic: float) -> float:
    """P of a statistic with the null's upper tenth taken as exponential.

    Up to the u-th largest draw, u a tenth of all, p is counted (`empirical_p`); beyond it p falls as
    ``p(u) exp(-(T - T_u) / mean excess over T_u)`` (Knijnenburg et al. 2009, with the shape of the tail held at zero).

    Parameters
    ----------
    draws : array [draw]
        Sorted upwards; minus infinity where the statistic has no value.
    statistic : float

    Returns
    -------
    float
        In (0, 1]; counted throughout where the tail has fewer than 10 draws or no spread.

    Examples
    --------
    >>> draws = -np.log(1 - (np.arange(1000) + 0.5) / 1000)
    >>> round(-np.log(tail_p(draws, 12.0)))
    12
    """
    x = np.asarray(draws, dtype=np.float64)
    finite = int(np.count_nonzero(np.isfinite(x)))
    u = min(round(_TAIL * len(x)), finite - 1)
    if u < _MIN_TAIL or statistic <= x[-u]:
        return empirical_p(x, statistic)
    excess = float(np.mean(x[-u:] - x[-u]))
    if excess == 0:
        return empirical_p(x, statistic)
    p = empirical_p(x, float(x[-u])) * np.exp(-(statistic - x[-u]) / excess)
    return float(max(p, np.finfo(float).tiny))
