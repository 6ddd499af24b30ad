"""Tier `run`: since when does the network differ? Between two checkpoints, with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.leave_outs import LeaveOuts, combine

from .noise_draws import NoiseDraws, draw_t, held
from .run import check_series


@dataclass(frozen=True, slots=True)
class OnsetDate:
    """Indices of checkpoints: the change crosses the fraction asked after `after` and by `by`.

    Attributes
    ----------
    after : int
        Last of the initial checkpoints that are certainly below the fraction; 0 at the earliest, where there is no
        change by definition.
    by : int or None
        First checkpoint from which the change is certainly above it and stays; ``None`` if that is never certain.
    crossed_after, crossed_by : int or None
        The estimate itself: below at the first, at or above from the second on, held.
    peak : int
        Checkpoint whose change is the reference.
    fraction, confidence : float
    status : str
        ``dated``, ``open_end`` (``by`` unknown) or ``no_change`` (nothing is held in this direction).
    reason : str
        Empty when ``dated``.
    """

    after: int
    by: int | None
    crossed_after: int | None
    crossed_by: int | None
    peak: int
    fraction: float
    confidence: float
    status: str
    reason: str


def date_onset(
    series: LeaveOuts,
    *,
    sign: int,
    noise: NoiseDraws,
    persistence: int = 2,
    fraction: float = 0.5,
    confidence: float = 0.9,
) -> OnsetDate:
    """Date where a change crosses a fraction of its largest held value.

    ``y(s) = sign · [f(s) − f(0) − φ (f(peak) − f(0))]`` has its own simultaneous band (max-t over checkpoints, both
    sides), so that the error of the peak is in it. The peak is the smallest change in the window of `persistence`
    checkpoints whose smallest change is largest. The interval runs from the last initial checkpoint with an upper
    bound below zero to the first with lower bounds above zero held.

    Parameters
    ----------
    series : LeaveOuts, shape (step,)
    sign : {1, -1}
        Direction of the change, for instance `RunEvidence.sign`.
    noise : NoiseDraws
    persistence : int
    fraction : float
        φ in (0, 1).
    confidence : float
        Simultaneous over checkpoints.

    Returns
    -------
    OnsetDate

    Raises
    ------
    ValueError
        If the series is too short, or sign, fraction or confidence are out of range.
    """
    check_series(series, persistence)
    if sign not in (1, -1) or not 0 < fraction < 1 or not 0 < confidence < 1:
        raise ValueError(f"sign={sign}, fraction={fraction}, confidence={confidence}: need ±1, (0, 1), (0, 1)")
    windows = held(sign * (series.value[1:] - series.value[0]), persistence)
    start = 1 + int(np.argmax(windows))
    peak = start + int(np.argmin(sign * series.value[start : start + persistence]))
    if windows.max() <= 0:
        reason = f"no {persistence} consecutive checkpoints lie {'above' if sign > 0 else 'below'} the first"
        return OnsetDate(0, None, None, None, peak, fraction, confidence, "no_change", reason)
    start_at, peak_at = series[:1], series[peak : peak + 1]
    y = combine(lambda f, zero, top: sign * (f - (1 - fraction) * zero - fraction * top), series, start_at, peak_at)
    error = standard_error(y)
    half = np.quantile(np.abs(draw_t(y, noise)).max(-1), confidence, method="higher") * error
    below = y.value + half < 0
    after = max(int(np.argmin(below)) - 1 if not below.all() else len(below) - 1, 0)
    by, crossed = _first_held(y.value - half > 0, persistence), _first_held(y.value >= 0, persistence)
    crossed_after = None if crossed is None else crossed - 1
    if by is None:
        reason = f"no {persistence} consecutive checkpoints are above {fraction:g} of the change at {confidence:g}"
        return OnsetDate(after, None, crossed_after, crossed, peak, fraction, confidence, "open_end", reason)
    return OnsetDate(after, by, crossed_after, crossed, peak, fraction, confidence, "dated", "")


def _first_held(holds: np.ndarray, persistence: int) -> int | None:
    """First index after 0 from which `persistence` consecutive entries hold."""
    runs = held(holds[1:], persistence)
    return int(np.argmax(runs)) + 1 if runs.any() else None
