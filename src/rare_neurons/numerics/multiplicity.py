"""P-values of a family of questions asked of the same runs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

_METHODS = ("holm", "bonferroni", "fdr")


def control_multiplicity(p_values: Sequence[float | None], method: str = "holm") -> NDArray[np.float64]:
    """Adjust p-values for having been asked together; compare the result with the level as usual.

    "holm" (Holm 1979) and "bonferroni" bound the chance of any false positive, whatever the dependence; "fdr" is
    Benjamini and Hochberg's false discovery rate. A missing p-value (NaN or None) was not a test: it stays NaN and
    does not count.

    Parameters
    ----------
    p_values : sequence of float or None [test]
    method : {"holm", "bonferroni", "fdr"}

    Returns
    -------
    array [test]
        Adjusted p-values in [0, 1], not below the given ones.

    Raises
    ------
    ValueError
        If a p-value lies outside [0, 1] or the method is unknown.

    Examples
    --------
    >>> control_multiplicity([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    if method not in _METHODS:
        raise ValueError(f"unknown multiplicity method '{method}'; known: {', '.join(_METHODS)}")
    asked = np.asarray(p_values, dtype=float)
    tested = np.isfinite(asked)
    given = asked[tested]
    if np.any((given < 0) | (given > 1)):
        raise ValueError(f"p-values must lie in [0, 1], got {given[(given < 0) | (given > 1)].tolist()}")
    adjusted = np.full(asked.shape, np.nan)
    if given.size:
        adjusted[tested] = _adjust(given, method)
    return adjusted


def _adjust(given: NDArray[np.float64], method: str) -> NDArray[np.float64]:
    if method == "fdr":
        return false_discovery_control(given)
    if method == "bonferroni":
        return np.minimum(1.0, given.size * given)
    order = np.argsort(given, kind="stable")
    steps = np.maximum.accumulate(given[order] * np.arange(given.size, 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(1.0, steps)
    return adjusted
