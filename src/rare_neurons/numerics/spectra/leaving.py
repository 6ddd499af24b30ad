"""Alpha among Gaussian matrices, and the step from which it is no longer one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.spectra.gaussian_null import GaussianNull, cut_of

LEVEL = 0.05
"""Rate at which any of a model's matrices counts as outside by chance at a checkpoint; each has its equal share."""

PERSISTENCE = 2
"""Checkpoints in a row that must be outside."""

JUMP = 1 / 3
"""Share of the eigenvalues between two starts of the tail from which on they are in different parts of the spectrum."""

QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Placed:
    """A value among the draws of its null.

    Attributes
    ----------
    p : float or None
        ``(1 + k) / (1 + n)``, k draws at least as extreme; ``None`` without a value or a null.
    low, median, high : float or None
        5, 50 and 95 % of the null.
    """

    p: float | None
    low: float | None
    median: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Leaving:
    """When a quantity leaves its null.

    Attributes
    ----------
    status : str
        ``left``, ``inside``, ``outside_at_start``, ``no_start`` or ``too_few_checkpoints``.
    reason : str
        Empty when ``left``, else one sentence.
    n_checkpoints : int
        With a value.
    p_at_start : float or None
    after_step, by_step : int or None
        It leaves after the one and by the other.
    stays : bool or None
        Whether every later checkpoint is outside too.
    """

    status: str
    reason: str
    n_checkpoints: int
    p_at_start: float | None
    after_step: int | None = None
    by_step: int | None = None
    stays: bool | None = None


def alpha_in_null(alpha: float | None, null: GaussianNull, *, mean_square: float) -> Placed | None:
    """Place an alpha in its null, one-sided towards small: heavy tails.

    Parameters
    ----------
    alpha : float or None
    null : GaussianNull
        Of the matrix's shape.
    mean_square : float
        Mean squared entry of the matrix.

    Returns
    -------
    Placed or None
        ``None`` where the eigenvalues that the fit leaves out reach into the tails of the null (``cut_limit``): its
        draws would then have other exponents.
    """
    draws = np.asarray(null.alpha)
    if draws.size and not (mean_square > 0 and cut_of(mean_square) < null.cut_limit):
        return None
    return _placed(alpha, draws, k=lambda value: np.searchsorted(draws, value, side="right"))


def ratio_in_null(ratio: float | None, null: GaussianNull) -> Placed:
    """Place the largest eigenvalue over the median in its null, one-sided towards large."""
    draws = np.asarray(null.lambda_max_over_median)
    return _placed(ratio, draws, k=lambda value: draws.size - np.searchsorted(draws, value, side="left"))


def _placed(value: float | None, draws: NDArray[np.float64], *, k: Callable[[float], int]) -> Placed:
    if not draws.size:
        return Placed(None, None, None, None)
    p = None if value is None else float((1 + k(value)) / (1 + draws.size))
    return Placed(p, *(float(quantile) for quantile in np.quantile(draws, QUANTILES)))


def xmin_jumps(n_tail: ArrayLike, n_eigenvalues: int) -> NDArray[np.bool_]:
    """Whether the tail's start moved across the bulk from one checkpoint to the next.

    The number of eigenvalues between two starts is the difference of the tails' sizes, and a jump is `JUMP` of all
    eigenvalues or more. The fit's distance often has two minima of nearly equal depth, one in the upper tail and one
    below the bulk, and alpha changes by a factor of two where the other becomes the smaller one.

    Parameters
    ----------
    n_tail : array_like, shape (n,)
        Sizes of the tails of successive checkpoints.
    n_eigenvalues : int

    Returns
    -------
    ndarray, shape (n - 1,), bool

    Examples
    --------
    >>> xmin_jumps([9, 60, 58], 96).tolist()
    [True, False]
    """
    return np.abs(np.diff(np.asarray(n_tail))) >= JUMP * n_eigenvalues


def date_leaving(steps: ArrayLike, p: ArrayLike, *, level: float) -> Leaving:
    """Date when p falls to `level` or below and stays there for `PERSISTENCE` checkpoints.

    The decision: inside at step 0 (p above `level`); then the first window of `PERSISTENCE` successive checkpoints all
    of which have p of at most `level`. It leaves after the checkpoint before that window and by the window's first.

    Parameters
    ----------
    steps : array_like, shape (n,)
        Ascending; of checkpoints that are not quarantined and have a value.
    p : array_like, shape (n,)
        One-sided.
    level : float
        Of one checkpoint and matrix.

    Returns
    -------
    Leaving

    Examples
    --------
    >>> found = date_leaving([0, 8, 16, 32], [0.4, 0.2, 0.001, 0.001], level=0.0025)
    >>> found.after_step, found.by_step, found.stays
    (8, 16, True)
    """
    steps, p = np.asarray(steps), np.asarray(p, dtype=np.float64)
    if not steps.size or steps[0] != 0:
        reason = "no value at step 0 (missing, quarantined or without a fit), which must be inside the null"
        return Leaving("no_start", reason, int(steps.size), None)
    start, outside = float(p[0]), p <= level
    if outside[0]:
        reason = f"p = {start:.3g} at step 0, but it must lie above {level:.3g} to leave later"
        return Leaving("outside_at_start", reason, int(steps.size), start)
    if steps.size <= PERSISTENCE:
        reason = f"{steps.size - 1} checkpoint(s) with a value after step 0, but a date needs {PERSISTENCE}"
        return Leaving("too_few_checkpoints", reason, int(steps.size), start)
    windows = np.lib.stride_tricks.sliding_window_view(outside, PERSISTENCE).all(axis=1)
    if not windows.any():
        reason = f"no {PERSISTENCE} checkpoints in a row have p of at most {level:.3g}"
        return Leaving("inside", reason, int(steps.size), start)
    first = int(np.argmax(windows))
    after, by = int(steps[first - 1]), int(steps[first])
    return Leaving("left", "", int(steps.size), start, after, by, bool(outside[first:].all()))
