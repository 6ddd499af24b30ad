"""One statistic of one run over its checkpoints, and the statistics that tiers read, from sums over the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.grid.leave_outs import LeaveOuts
from rare_neurons.numerics.grid.moments import mean_leave_outs, ratio_of_pairs

SQUARES = ("rms_influence", "rms_influence_within")
"""Columns whose statistic is the noise-free mean square: its root has no standard error at zero."""


@dataclass(frozen=True)
class History:
    """One statistic of one run.

    Attributes
    ----------
    steps : tuple of int
        Good checkpoints, in order.
    values : LeaveOuts, shape (step,)
    """

    steps: tuple[int, ...]
    values: LeaveOuts

    def at(self, step: int) -> LeaveOuts:
        """Value at one of its steps."""
        return self.values[self.steps.index(step)]


@dataclass(frozen=True)
class Moments:
    """Sums over the cells of the grid for one stratum; mean over neurons. ``[fold, bin]`` each.

    Attributes
    ----------
    n_targets : ndarray
    sum_mean : ndarray
        Sum over a cell's targets, nats.
    pairs : ndarray
        Product of the cell's sum with those of all cells that share neither fold nor bin, nats squared.
    """

    n_targets: NDArray[np.float64]
    sum_mean: NDArray[np.float64]
    pairs: NDArray[np.float64]

    def mean(self) -> LeaveOuts:
        """Mean over neurons of the signed influence."""
        return mean_leave_outs(self.sum_mean, self.n_targets)

    def square(self) -> LeaveOuts:
        """Mean square over neurons, free of noise."""
        return ratio_of_pairs(self.pairs, self.n_targets)


def on_grid(fold: Sequence[int], type_bin: Sequence[int], values: ArrayLike, *, n_folds: int) -> NDArray[np.float64]:
    """Put values of cells on the grid; cells that are not named hold zero.

    Returns
    -------
    ndarray, shape (fold, bin)
    """
    grid = np.zeros((n_folds, n_folds))
    grid[np.asarray(fold), np.asarray(type_bin)] = np.asarray(values, dtype=np.float64)
    return grid
