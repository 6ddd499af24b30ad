"""Tier `run`: the rises and falls of one statistic, each beyond the noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.grid.leave_outs import LeaveOuts

from .noise_draws import NoiseDraws, directions, t_values

Array = NDArray[np.float64]
Index = NDArray[np.int64]

BLOCK = 256
"""Draws at once: the covariances of 154 checkpoints in each are 49 MB."""


@dataclass(frozen=True, slots=True)
class Move:
    """A significant rise or fall from one checkpoint to a later one.

    Attributes
    ----------
    start, end : int
        Indices of checkpoints.
    change : float
        In units of the statistic.
    t : float
    p_value : float
        Adjusted for all pairs of checkpoints of the timeline.
    """

    start: int
    end: int
    change: float
    t: float
    p_value: float


def find_moves(series: LeaveOuts, *, noise: NoiseDraws, level: float = 0.05) -> tuple[Move, ...]:
    """Find the rises and falls of a series, in order.

    Of all pairs of checkpoints the significant one with the largest |t| is a move; then likewise among the checkpoints
    up to its start and from its end on, until none is significant. Significance is judged against the largest |t| over
    all pairs, so that any move at all without a change has the level; splitting does not add to it. Every draw
    estimates the size of each pair's error anew, since the largest of many |t| owes as much to small sizes as to large
    errors: with one common scale 9 to 11 % of series without a change had a move.

    Parameters
    ----------
    series : LeaveOuts, shape (step,)
    noise : NoiseDraws
    level : float

    Returns
    -------
    tuple of Move
        Disjoint except for shared ends; empty where nothing is found.

    Raises
    ------
    ValueError
        If there are fewer than two checkpoints.
    """
    if series.value.ndim != 1 or len(series.value) < 2:
        raise ValueError(f"series of shape {series.value.shape}, but a move needs one axis of 2 checkpoints")
    start, end = np.triu_indices(len(series.value), 1)
    t, largest = t_values(series[end] - series[start]), _largest_pair(series, noise, start, end)
    p_value = (1 + np.searchsorted(np.sort(-largest), -np.abs(t), side="right")) / (1 + len(largest))
    chosen = _split(np.where(p_value <= level, np.abs(t), 0.0), start, end, 0, len(series.value) - 1)
    moves = [
        Move(
            int(start[k]),
            int(end[k]),
            float(series.value[end[k]] - series.value[start[k]]),
            float(t[k]),
            float(p_value[k]),
        )
        for k in chosen
    ]
    return tuple(sorted(moves, key=lambda move: move.start))


def _largest_pair(series: LeaveOuts, noise: NoiseDraws, start: Index, end: Index) -> Array:
    """Largest |t| over all pairs of checkpoints in each draw; pairs follow from the checkpoints' covariances."""
    moves, n_folds, largest = directions(series), series.n_folds, []
    for first in range(0, len(noise.normal), BLOCK):
        mixed = noise.normal[first : first + BLOCK] @ moves.T
        mean = mixed.mean(axis=1)
        centred = mixed - mean[:, None]
        covariance = centred.swapaxes(1, 2) @ centred / (n_folds - 1)
        variance = np.einsum("dss->ds", covariance)
        spread = variance[:, start] + variance[:, end] - 2 * covariance[:, start, end]
        error = np.abs(mean[:, end] - mean[:, start]) * np.sqrt(n_folds)
        # Rounding leaves a spread of 1e-16 of the variances between checkpoints that are equal.
        real = spread > 1e-12 * (variance[:, start] + variance[:, end])
        largest.append(np.divide(error, np.sqrt(np.abs(spread)), out=np.zeros_like(error), where=real).max(axis=-1))
    return np.concatenate(largest)


def _split(strength: Array, start: Array, end: Array, low: int, high: int) -> list[int]:
    """Pairs chosen between two checkpoints, largest strength first, then either side; zero strength is no pair."""
    inside = np.where((start >= low) & (end <= high), strength, 0.0)
    best = int(np.argmax(inside))
    if high <= low or inside[best] == 0:
        return []
    left = _split(strength, start, end, low, int(start[best]))
    return [best, *left, *_split(strength, start, end, int(end[best]), high)]
