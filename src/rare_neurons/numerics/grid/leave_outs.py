"""A statistic with the values it takes when a row, a column or a cell of the grid is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LeaveOuts:
    """Estimate of one statistic, or of an array of them, with its leave-one-out values.

    Everything that is estimated from the same panel leaves out the same row at once, so that statistics of several
    strata, checkpoints and models can be combined before their variance is taken.

    Attributes
    ----------
    value : ndarray, shape (...)
    row : ndarray, shape (..., fold)
        Value without the documents of one fold.
    column : ndarray, shape (..., fold)
        Value without the token types of one bin.
    cell : ndarray, shape (..., fold, fold)
        Value without one cell.
    """

    value: Array
    row: Array
    column: Array
    cell: Array

    @property
    def n_folds(self) -> int:
        """Rows (and columns) of the grid."""
        return int(self.row.shape[-1])

    def __getitem__(self, index: object) -> LeaveOuts:
        """Select along the leading axes, as in ``series[3]``."""
        return LeaveOuts(*(np.asarray(part[index]) for part in self._parts()))

    def __sub__(self, other: LeaveOuts) -> LeaveOuts:
        """Difference, leaving out the same part of both."""
        return combine(np.subtract, self, other)

    def mean(self, axis: int = 0) -> LeaveOuts:
        """Mean over one leading axis, counted from the front."""
        return LeaveOuts(*(np.asarray(part.mean(axis=axis)) for part in self._parts()))

    def all_positive(self) -> bool:
        """Whether a logarithm of the value and of every leave-out exists."""
        return all(bool(np.all(part > 0)) for part in self._parts())

    def _parts(self) -> tuple[Array, Array, Array, Array]:
        return self.value, self.row, self.column, self.cell


def combine(function: Callable[..., Array], *statistics: LeaveOuts) -> LeaveOuts:
    """Apply an elementwise function to statistics of the same panel.

    Parameters
    ----------
    function : callable
        NumPy function of as many arrays as there are statistics, elementwise.
    *statistics : LeaveOuts
        Of equal leading shapes, or of leading shapes with equally many axes that broadcast.

    Returns
    -------
    LeaveOuts

    Examples
    --------
    >>> one = LeaveOuts(np.array(4.0), np.full(2, 4.0), np.full(2, 9.0), np.full((2, 2), 4.0))
    >>> combine(np.sqrt, one).column.tolist()
    [3.0, 3.0]
    """
    parts = zip(*(statistic._parts() for statistic in statistics), strict=True)
    return LeaveOuts(*(np.asarray(function(*part), dtype=np.float64) for part in parts))


def stack(statistics: Sequence[LeaveOuts]) -> LeaveOuts:
    """Put statistics along a new first axis (steps of a series, runs of a set).

    Raises
    ------
    ValueError
        If there are none.
    """
    if not statistics:
        raise ValueError("no statistics to stack")
    parts = zip(*(statistic._parts() for statistic in statistics), strict=True)
    return LeaveOuts(*(np.stack(part) for part in parts))
