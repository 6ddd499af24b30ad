"""Draws of the noise of many contrasts at once, with their correlations, from leave-one-out values.

All decisions on one run use the same draws: what they share over checkpoints is what the leave-outs share. Each draw
estimates its variances anew, because the largest of many t values owes as much to small variances as to large means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.leave_outs import LeaveOuts

Array = NDArray[np.float64]

DRAWS = 9999
"""With the observed one 10,000, so that p = 0.05 has a binomial standard error of 0.002."""


@dataclass(frozen=True, slots=True)
class NoiseDraws:
    """Normal weights with which each draw mixes the rows' and columns' deviations into D new ones.

    Attributes
    ----------
    normal : ndarray, shape (draw, fold, 2 * fold)
    """

    normal: Array


def draw_noise(*, n_folds: int, rng: np.random.Generator, draws: int = DRAWS) -> NoiseDraws:
    """Draw the weights for one run's decisions.

    Parameters
    ----------
    n_folds : int
        Rows (and columns) D of the grid.
    rng : numpy.random.Generator
        Its state moves on.
    draws : int

    Returns
    -------
    NoiseDraws

    Raises
    ------
    ValueError
        If ``draws`` is below 99, with which no p-value reaches 0.01.
    """
    if draws < 99:
        raise ValueError(f"draws={draws}, but at least 99 are needed for a p-value of 0.01")
    return NoiseDraws(rng.standard_normal((draws, n_folds, 2 * n_folds)))


def draw_errors(contrasts: LeaveOuts, noise: NoiseDraws) -> tuple[Array, Array]:
    """Draw the error of each contrast in its own standard errors, and its estimated standard error in the same unit.

    The leave-outs of rows and columns, less their means, are the directions in which documents and types move the
    contrasts. A draw has D random mixtures of these directions: their mean is the error, their scatter the estimate of
    its size. Per contrast that is a standard normal over ``√(χ²(D − 1) / (D − 1))``, a t variable with the degrees
    of freedom of the intervals; over contrasts both are as correlated as the leave-outs.

    Parameters
    ----------
    contrasts : LeaveOuts, shape (contrast,)
    noise : NoiseDraws

    Returns
    -------
    error, scale : ndarray, shape (draw, contrast)
        Errors are 0 and scales 1 where no leave-out differs.
    """
    directions, length = unit_directions(contrasts)
    mixed = noise.normal @ np.divide(directions, length, out=np.zeros_like(directions), where=length > 0).T
    n_folds = contrasts.n_folds
    scale = np.where(length[:, 0] > 0, mixed.std(axis=1, ddof=1), 1.0)
    return mixed.mean(axis=1) * np.sqrt(n_folds), scale


def unit_directions(contrasts: LeaveOuts) -> tuple[Array, Array]:
    """Deviations of row and column leave-outs [contrast, 2 * fold] and their lengths [contrast, 1]."""
    parts = [part - part.mean(-1, keepdims=True) for part in (contrasts.row, contrasts.column)]
    directions = np.concatenate(parts, axis=-1)
    return directions, np.sqrt(np.square(directions).sum(-1, keepdims=True))


def draw_t(contrasts: LeaveOuts, noise: NoiseDraws) -> Array:
    """Draws of the t statistics of contrasts without an effect, shape (draw, contrast)."""
    error, scale = draw_errors(contrasts, noise)
    return error / scale


def t_values(contrasts: LeaveOuts) -> Array:
    """Value over standard error; zero where both are zero, infinite where only the error is."""
    error = standard_error(contrasts)
    no_error = np.where(contrasts.value == 0, 0.0, np.copysign(np.inf, contrasts.value))
    return np.divide(contrasts.value, error, out=no_error, where=error > 0)


def held(t: Array, persistence: int) -> Array:
    """Smallest value of every window of `persistence` consecutive checkpoints: shape (..., windows)."""
    return np.lib.stride_tricks.sliding_window_view(t, persistence, axis=-1).min(-1)
