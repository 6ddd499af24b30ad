"""When a change set in, peaked and went: always between two checkpoints, never at one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student_t


@dataclass(frozen=True)
class Dates:
    """Indices into the checkpoints in use; None where there is no such checkpoint.

    Parameters
    ----------
    after, by : int | None
        The rule does not hold at `after`; it holds from `by`, for the persistence asked.
    peak : int | None
        Most extreme checkpoint of the stretch that holds the largest change.
    offset_after, offset_by : int | None
        Likewise for the end of the change after the peak.
    """

    after: int | None = None
    by: int | None = None
    peak: int | None = None
    offset_after: int | None = None
    offset_by: int | None = None


def date_change(
    values: ArrayLike, *, baseline: int, persistence: int, threshold: float | None, fraction: float
) -> Dates:
    """Date one rising series by its crossing of a level.

    The level is the baseline mean plus `fraction` of the largest change that `persistence` consecutive checkpoints
    hold, or `threshold` where that is not None. Onset: the first checkpoint after the baseline from which
    `persistence` consecutive values lie at or above the level. Offset: after the peak, likewise below it.

    Parameters
    ----------
    values : array [step]
        Finite; negate them to date a fall.
    baseline, persistence : int
    threshold : float | None
    fraction : float

    Returns
    -------
    Dates
        All None where the level is never held, or where nothing rises above the baseline.
    """
    values = np.asarray(values, dtype=float)
    base = values[:baseline].mean()
    held = np.lib.stride_tricks.sliding_window_view(values[baseline:], persistence).min(axis=-1) - base
    start = int(np.argmax(held))
    if held[start] <= 0:
        return Dates()
    level = base + fraction * held[start] if threshold is None else threshold
    above = values[baseline:] >= level
    by = _first_run(above, persistence)
    if by is None:
        return Dates()
    peak = baseline + start + int(np.argmax(values[baseline + start : baseline + start + persistence]))
    gone = _first_run(~(values[peak + 1 :] >= level), persistence)
    offset = None if gone is None else peak + 1 + gone
    return Dates(baseline + by - 1, baseline + by, peak, None if offset is None else offset - 1, offset)


def seed_interval(
    positions: ArrayLike, *, n_steps: int, confidence: float, shared_variance: float = 0.0
) -> tuple[int, int | None]:
    """Interval for the mean onset over seeds, as indices of checkpoints (low, high), widened to whole cells.

    Student's t over the seeds' own onsets on the axis of checkpoints, the outer cluster being the seed. Percentiles
    of resampled seeds are not used: with three seeds they never leave the range of the three and cover far too little
    (docs/methods/onset.md). A seed's onset is known to a cell only, so the variance is at least that of a
    uniform cell, 1/12.

    Parameters
    ----------
    positions : array [seed]
        Middle of each seed's onset cell in units of checkpoints: `by - 0.5`.
    n_steps : int
        Number of checkpoints in use.
    confidence : float
    shared_variance : float
        Variance that all seeds share because they are evaluated on the same contexts, in squared cells.

    Returns
    -------
    low : int
        Not before the first checkpoint, where there is no change by definition.
    high : int | None
        None if it reaches beyond the last one.
    """
    positions = np.asarray(positions, dtype=float)
    n_seeds = len(positions)
    variance = max(positions.var(ddof=1), 1 / 12) / n_seeds + shared_variance
    half = student_t.ppf((1 + confidence) / 2, n_seeds - 1) * np.sqrt(variance)
    low, high = int(np.floor(positions.mean() - half)), int(np.ceil(positions.mean() + half))
    return max(low, 0), (high if high < n_steps else None)


def resample_interval(dates: Sequence[Dates], *, confidence: float) -> tuple[int | None, int | None]:
    """Interval (low, high) as indices from the dates of resampled series; a side is None if too many have no onset.

    A resample without onset is taken to be later than any checkpoint.
    """
    after = np.array([np.inf if d.after is None else d.after for d in dates])
    by = np.array([np.inf if d.by is None else d.by for d in dates])
    tail = (1 - confidence) / 2
    low = np.quantile(after, tail, method="inverted_cdf")
    high = np.quantile(by, 1 - tail, method="inverted_cdf")
    return (int(low) if np.isfinite(low) else None), (int(high) if np.isfinite(high) else None)


def _first_run(holds: NDArray[np.bool_], length: int) -> int | None:
    if len(holds) < length:
        return None
    runs = np.lib.stride_tricks.sliding_window_view(holds, length).all(axis=-1)
    return int(np.argmax(runs)) if runs.any() else None
