"""Variance over documents and token types, and intervals, from leave-one-out values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from .leave_outs import LeaveOuts

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """Interval of one statistic for documents and token types like the panel's.

    Attributes
    ----------
    value, low, high : float
        In the statistic's units.
    standard_error : float
    confidence : float
        Nominal coverage; measured coverage in docs/methods/evidence.md.
    """

    value: float
    low: float
    high: float
    standard_error: float
    confidence: float


def one_way_variance(leave_outs: Array) -> Array:
    """Jackknife variance from the k values with one part left out: ``(k − 1)/k Σ (f₍₋ₓ₎ − mean)²`` (Tukey 1958).

    Parameters
    ----------
    leave_outs : ndarray, shape (..., k)

    Returns
    -------
    ndarray, shape (...)
    """
    k = leave_outs.shape[-1]
    return (k - 1) / k * np.square(leave_outs - leave_outs.mean(-1, keepdims=True)).sum(-1)


def two_way_variance(statistic: LeaveOuts) -> Array:
    """Variance of a statistic whose targets share documents and token types.

    ``V = V_row + V_column − V_cell``, not below ``V_cell`` (Cameron, Gelbach & Miller 2011, eq. 2.11, with jackknife
    variances): what a document adds to all its targets varies with the row, what a type adds with the column, and what
    neither shares is in both and taken away once.

    Parameters
    ----------
    statistic : LeaveOuts

    Returns
    -------
    ndarray, shape of ``statistic.value``
        In squared units of the statistic.
    """
    cells = one_way_variance(statistic.cell.reshape(*statistic.cell.shape[:-2], -1))
    return np.maximum(one_way_variance(statistic.row) + one_way_variance(statistic.column) - cells, cells)


def standard_error(statistic: LeaveOuts) -> Array:
    """Root of `two_way_variance`."""
    return np.sqrt(two_way_variance(statistic))


def t_interval(statistic: LeaveOuts, *, confidence: float = 0.9) -> Interval:
    """Interval ``value ± t(D − 1) · se`` of a scalar statistic of a D x D grid.

    Parameters
    ----------
    statistic : LeaveOuts
        Scalar.
    confidence : float
        In (0, 1).

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If the statistic is not scalar or the confidence is out of range.
    """
    if statistic.value.ndim or not 0 < confidence < 1:
        raise ValueError(f"statistic of shape {statistic.value.shape}, confidence {confidence}: need () and (0, 1)")
    error = float(standard_error(statistic))
    half = float(stdtrit(statistic.n_folds - 1, (1 + confidence) / 2)) * error
    value = float(statistic.value)
    return Interval(value, value - half, value + half, error, confidence)
