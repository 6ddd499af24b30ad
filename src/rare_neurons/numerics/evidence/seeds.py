"""Tier `seeds`: whether another seed would show it, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from rare_neurons.numerics.grid.jackknife import two_way_variance
from rare_neurons.numerics.grid.leave_outs import LeaveOuts, combine

from .comparison import Comparison, Decision, compare, no_comparison

MIN_RUNS = 3
"""Two runs have one degree of freedom: a change of four standard deviations would be missed in most cases."""


@dataclass(frozen=True, slots=True)
class SeedDate:
    """Interval for the onset of another seed's mean, in indices of checkpoints.

    Attributes
    ----------
    after, by : int or None
        ``by`` is ``None`` where it lies beyond the last checkpoint.
    status : str
        ``dated``, ``open_end`` or ``too_few_runs``.
    reason : str
        Empty when ``dated``.
    """

    after: int | None
    by: int | None
    status: str
    reason: str


def log_or_linear(runs: Sequence[LeaveOuts]) -> str:
    """``log`` where every value and leave-out of every run and control is positive, else ``linear``.

    Decide once for runs and controls together: a comparison needs one scale.
    """
    return "log" if all(run.all_positive() for run in runs) else "linear"


def change_between(after: LeaveOuts, before: LeaveOuts, *, scale: str) -> LeaveOuts:
    """Change of a statistic between two checkpoints: a difference, or a difference of logarithms.

    Parameters
    ----------
    after, before : LeaveOuts
    scale : {"log", "linear"}

    Returns
    -------
    LeaveOuts

    Raises
    ------
    ValueError
        If the scale is unknown, or a logarithm does not exist.
    """
    if scale not in ("log", "linear"):
        raise ValueError(f"scale={scale!r}; known: log, linear")
    if scale == "linear":
        return after - before
    if not (after.all_positive() and before.all_positive()):
        raise ValueError("a value or leave-one-out value is not positive, so it has no logarithm; use scale='linear'")
    return combine(lambda x, y: np.log(x) - np.log(y), after, before)


def judge_seeds(changes: LeaveOuts, *, decision: Decision | None = None) -> Comparison:
    """Test the mean change over seeds against zero, for other seeds and other panels like this one.

    ``V = s²/n + V_panel``: s² over seeds, V_panel the two-way jackknife variance of the mean over seeds, which all
    seeds share because they are evaluated on the same documents and types; n − 1 and D − 1 degrees of freedom.

    Parameters
    ----------
    changes : LeaveOuts, shape (run,)
        Change of each seed at the declared checkpoint (`change_between`).
    decision : Decision, optional

    Returns
    -------
    Comparison
        ``too_few_runs`` with fewer than three.

    Raises
    ------
    ValueError
        If `changes` does not have one axis.
    """
    n = count_runs(changes)
    if n < MIN_RUNS:
        reason = f"{n} runs, but other seeds can be judged from {MIN_RUNS} on"
        return no_comparison(n_runs=n, n_controls=0, status="too_few_runs", reason=reason)
    parts = [run_part(changes), panel_part(changes.mean())]
    return compare(float(changes.value.mean()), parts, decision=decision or Decision(), n_runs=n)


def count_runs(changes: LeaveOuts) -> int:
    """Count the runs of a set of changes.

    Raises
    ------
    ValueError
        If there is not one axis.
    """
    if changes.value.ndim != 1:
        raise ValueError(f"changes of shape {changes.value.shape}, but one axis holds the runs")
    return len(changes.value)


def run_part(changes: LeaveOuts) -> tuple[float, float]:
    """Variance of the mean over runs, by their scatter, and its degrees of freedom."""
    n = len(changes.value)
    return float(changes.value.var(ddof=1)) / n, n - 1


def panel_part(estimate: LeaveOuts) -> tuple[float, float]:
    """Variance of an estimate over documents and types, and its degrees of freedom."""
    return float(two_way_variance(estimate)), estimate.n_folds - 1


def date_over_seeds(
    crossed_by: ArrayLike, *, n_steps: int, confidence: float = 0.9, panel_variance: float = 0.0
) -> SeedDate:
    """Interval for the mean onset over seeds, rounded outward to whole cells between checkpoints.

    Student's t on the axis of checkpoints. A seed's onset is known to a cell only, so the variance over seeds is at
    least that of a uniform cell, 1/12.

    Parameters
    ----------
    crossed_by : array_like of int, shape (run,)
        Index of the checkpoint by which each seed has changed (`OnsetDate.crossed_by`).
    n_steps : int
        Number of checkpoints.
    confidence : float
    panel_variance : float
        Variance that the seeds' dates share through the panel, in squared cells.

    Returns
    -------
    SeedDate

    Raises
    ------
    ValueError
        If a date is out of range.
    """
    dates = np.asarray(crossed_by, dtype=np.float64)
    if dates.ndim != 1 or np.any((dates < 1) | (dates >= n_steps)):
        raise ValueError(f"dates {dates.tolist()} must be indices from 1 to {n_steps - 1}")
    if len(dates) < MIN_RUNS:
        return SeedDate(None, None, "too_few_runs", f"{len(dates)} dates, but {MIN_RUNS} runs are needed")
    middle = dates - 0.5
    variance = max(float(middle.var(ddof=1)), 1 / 12) / len(dates) + panel_variance
    half = float(stdtrit(len(dates) - 1, (1 + confidence) / 2)) * np.sqrt(variance)
    after, by = int(np.floor(middle.mean() - half)), int(np.ceil(middle.mean() + half))
    if by >= n_steps:
        return SeedDate(max(after, 0), None, "open_end", f"the interval reaches beyond checkpoint {n_steps - 1}")
    return SeedDate(max(after, 0), by, "dated", "")
