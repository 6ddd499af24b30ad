"""Draws of the noise of many contrasts at once, with their correlations, from leave-one-out values.

All decisions on one run use the same draws: what they share over checkpoints is what the leave-outs share.
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
    """Normal weights with which each draw mixes the rows' and columns' deviations, and a common scale.

    Attributes
    ----------
    normal : ndarray, shape (draw, fold, 2 * fold)
        Weights of D random mixtures; their mean is an error, their scatter an estimate of its size (`turns`).
    scale : ndarray, shape (draw,)
        ``√(χ²(D − 1) / (D − 1))``: one estimated size for all contrasts of a draw.
    """

    normal: Array
    scale: Array


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
    normal = rng.standard_normal((draws, n_folds, 2 * n_folds))
    return NoiseDraws(normal, np.sqrt(rng.chisquare(n_folds - 1, draws) / (n_folds - 1)))


def draw_errors(contrasts: LeaveOuts, noise: NoiseDraws) -> Array:
    """Draw the error of each contrast in its own standard errors: correlated standard normals.

    The leave-outs of rows and columns, less their means, are the directions in which documents and types move the
    contrasts; a draw weighs them at random.

    Parameters
    ----------
    contrasts : LeaveOuts, shape (contrast,)
    noise : NoiseDraws

    Returns
    -------
    ndarray, shape (draw, contrast)
        Zero where no leave-out differs.
    """
    moves = directions(contrasts)
    length = np.sqrt(np.square(moves).sum(-1, keepdims=True))
    unit = np.divide(moves, length, out=np.zeros_like(moves), where=length > 0)
    return np.sqrt(contrasts.n_folds) * noise.normal.mean(axis=1) @ unit.T


def draw_t(contrasts: LeaveOuts, noise: NoiseDraws) -> Array:
    """Draws of the t statistics of contrasts without an effect: `draw_errors` over the common scale.

    Returns
    -------
    ndarray, shape (draw, contrast)
        Multivariate t with D − 1 degrees of freedom.
    """
    return draw_errors(contrasts, noise) / noise.scale[:, None]


def directions(contrasts: LeaveOuts) -> Array:
    """Deviations of row and column leave-outs from their means, shape (contrast, 2 * fold)."""
    parts = [part - part.mean(-1, keepdims=True) for part in (contrasts.row, contrasts.column)]
    return np.concatenate(parts, axis=-1)


def t_values(contrasts: LeaveOuts) -> Array:
    """Value over standard error; zero where both are zero, infinite where only the error is."""
    error = standard_error(contrasts)
    no_error = np.where(contrasts.value == 0, 0.0, np.copysign(np.inf, contrasts.value))
    return np.divide(contrasts.value, error, out=no_error, where=error > 0)


def held(t: Array, persistence: int) -> Array:
    """Smallest value of every window of `persistence` consecutive checkpoints: shape (..., windows)."""
    return np.lib.stride_tricks.sliding_window_view(t, persistence, axis=-1).min(-1)
