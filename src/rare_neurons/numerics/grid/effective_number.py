"""Over how many neurons an effect is spread, without the noise that spreads it over all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .jackknife import standard_error, t_interval
from .leave_outs import LeaveOuts, combine

RESOLVED = 2.0
"""A mean square counts as resolved above this many standard errors: below it n_eff is a ratio of noises."""


@dataclass(frozen=True, slots=True)
class EffectiveNumber:
    """Effective number of neurons; the numbers are ``None`` unless ``status`` is ``"ok"``.

    Attributes
    ----------
    value, low, high : float or None
        Neurons; ``low`` and ``high`` the interval, limited to [1, n_neurons].
    confidence : float
    n_neurons : int
    status : str
        ``ok``, ``unresolved`` (mean square within 2 standard errors of zero) or ``not_positive`` (a mean square or
        fourth power, or one of its leave-outs, is not positive, so that no logarithm exists).
    reason : str
        Empty when ``ok``.
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    n_neurons: int
    status: str
    reason: str


def effective_number(
    *, mean_square: LeaveOuts, mean_fourth: LeaveOuts, n_neurons: int, confidence: float = 0.9
) -> EffectiveNumber:
    """Participation ratio ``n_eff = n · (mean θ²)² / mean θ⁴`` with a two-way jackknife interval on its logarithm.

    k equally strong neurons among silent ones give k; n normally distributed effects give n/3.

    Parameters
    ----------
    mean_square, mean_fourth : LeaveOuts
        Scalars, from `moments.mean_square_leave_outs` and `fourth_moment.mean_fourth_leave_outs`.
    n_neurons : int
        All neurons of the layer, silent ones included.
    confidence : float

    Returns
    -------
    EffectiveNumber

    Raises
    ------
    ValueError
        If the confidence is out of range or a statistic is not scalar.

    Examples
    --------
    >>> def exactly(x):
    ...     return LeaveOuts(np.array(x), np.full(5, x), np.full(5, x), np.full((5, 5), x))
    >>> found = effective_number(mean_square=exactly(0.03), mean_fourth=exactly(0.03), n_neurons=100)
    >>> round(found.value, 9)
    3.0
    """
    error = float(standard_error(mean_square))
    if mean_square.value <= RESOLVED * error:
        reason = f"mean square {float(mean_square.value):.3g}, but resolved means more than {RESOLVED * error:.3g}"
        return EffectiveNumber(None, None, None, confidence, n_neurons, "unresolved", reason)
    if not (mean_square.all_positive() and mean_fourth.all_positive()):
        reason = f"mean fourth power {float(mean_fourth.value):.3g}: it or a value with a part left out is not positive"
        return EffectiveNumber(None, None, None, confidence, n_neurons, "not_positive", reason)
    log = combine(
        lambda square, fourth: np.log(n_neurons) + 2 * np.log(square) - np.log(fourth), mean_square, mean_fourth
    )
    found = t_interval(log, confidence=confidence)
    value, low, high = (float(np.clip(np.exp(x), 1, n_neurons)) for x in (found.value, found.low, found.high))
    return EffectiveNumber(value, low, high, confidence, n_neurons, "ok", "")
