"""Tier `run`: whether this network differs from its step 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.leave_outs import LeaveOuts

from .noise_draws import NoiseDraws, draw_t, held, t_values

Array = NDArray[np.float64]
Direction = Literal["either", "rise", "fall"]


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """Change of one run's statistic from its first checkpoint.

    Attributes
    ----------
    change, standard_error : ndarray, shape (step,)
        Difference from the first checkpoint and its two-way standard error, in units of the statistic.
    critical_value : float or None
        Bound on the held t statistic at the level asked, for the whole timeline and both directions together.
    p_value : float or None
        Of the largest held t statistic; as small as ``1 / (draws + 1)``.
    sign : int or None
        +1 or −1: direction of the first held exit; ``None`` where nothing is found.
    exit : int or None
        Index of the first checkpoint from which the change is held beyond the bound. Detection comes late: for the
        date of a change see `onset_date`.
    status : str
        ``changed``, ``no_change`` or ``undefined`` (no noise to compare with: all leave-outs are equal).
    reason : str
        Empty when ``changed``.
    """

    change: Array
    standard_error: Array
    critical_value: float | None
    p_value: float | None
    sign: int | None
    exit: int | None
    status: str
    reason: str


def change_from_start(series: LeaveOuts) -> LeaveOuts:
    """Differences from the first checkpoint, at all later ones: shape (step − 1,)."""
    return series[1:] - series[:1]


def detect_change(
    series: LeaveOuts,
    *,
    noise: NoiseDraws,
    persistence: int = 2,
    level: float = 0.05,
    direction: Direction = "either",
) -> RunEvidence:
    """Test whether a statistic leaves its first value and stays away for some checkpoints.

    The statistic is the largest, over windows of `persistence` consecutive checkpoints, of the smallest t value in the
    window, in one direction or either. Its distribution without a change is drawn from the leave-outs, so the rule
    itself has the level, for any correlation over checkpoints.

    Parameters
    ----------
    series : LeaveOuts, shape (step,)
        One statistic of one run at its checkpoints in order.
    noise : NoiseDraws
        As `draw_noise` gives it for the same grid.
    persistence : int
        Checkpoints that must agree.
    level : float
        False-positive rate over the whole timeline.
    direction : {"either", "rise", "fall"}

    Returns
    -------
    RunEvidence

    Raises
    ------
    ValueError
        If there are not more than `persistence` checkpoints, or the direction is unknown.
    """
    check_series(series, persistence)
    signs = _signs(direction)
    change = change_from_start(series)
    error, t = standard_error(change), t_values(change)
    full = np.concatenate([[0.0], change.value]), np.concatenate([[0.0], error])
    if not np.any(error > 0):
        return RunEvidence(*full, None, None, None, None, "undefined", "all leave-one-out values are equal")
    null = _largest_held(draw_t(change, noise), signs, persistence)
    observed = float(_largest_held(t[None], signs, persistence)[0])
    p_value = float((1 + np.count_nonzero(null >= observed)) / (1 + len(null)))
    bound = float(np.quantile(null, 1 - level, method="higher"))
    if p_value > level:
        reason = f"largest held t {observed:.2f}, but {level:g} needs {bound:.2f} (p = {p_value:.2g})"
        return RunEvidence(*full, bound, p_value, None, None, "no_change", reason)
    beyond = [
        (int(np.argmax(held(sign * t, persistence) >= bound)), sign)
        for sign in signs
        if np.any(held(sign * t, persistence) >= bound)
    ]
    # The p-value counts the observed series among the draws, so its bound can be a hair above a significant value.
    first, sign = min(beyond) if beyond else _strongest(t, signs, persistence)
    return RunEvidence(*full, bound, p_value, sign, first + 1, "changed", "")


def check_series(series: LeaveOuts, persistence: int) -> None:
    """Refuse a series that has no window after its first checkpoint.

    Raises
    ------
    ValueError
        If it is not one-dimensional or too short.
    """
    if series.value.ndim != 1 or len(series.value) <= persistence or persistence < 1:
        raise ValueError(
            f"series of shape {series.value.shape}, but persistence={persistence} needs one axis of more checkpoints"
        )


def _signs(direction: str) -> tuple[int, ...]:
    known = {"either": (1, -1), "rise": (1,), "fall": (-1,)}
    if direction not in known:
        raise ValueError(f"direction={direction!r}; known: {', '.join(known)}")
    return known[direction]


def _largest_held(t: Array, signs: tuple[int, ...], persistence: int) -> Array:
    """Largest held t of each row, over the directions."""
    return np.max([held(sign * t, persistence).max(-1) for sign in signs], axis=0)


def _strongest(t: Array, signs: tuple[int, ...], persistence: int) -> tuple[int, int]:
    """Window and sign of the largest held t."""
    windows = np.array([held(sign * t, persistence) for sign in signs])
    which, first = np.unravel_index(np.argmax(windows), windows.shape)
    return int(first), signs[which]
