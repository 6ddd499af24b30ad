"""Weights on the straight line between their neighbours: a mean of them, which no optimizer makes."""

import numpy as np

from rare_neurons.numerics.integrity.ratios import middle, moves, ratio
from rare_neurons.numerics.integrity.tensor_path import matrices

_CURVED = 0.1  # offset from the chord from which a path is no straight line; clean runs have 0.5
_FAR = 0.01  # of a matrix's norm: over shorter ways a few rounded entries may go straight by chance


def chord_offsets(projections: np.ndarray) -> np.ndarray:
    """Distance of each checkpoint from the straight line between its neighbours, over what a random walk has.

    With x the move from the checkpoint before and D that from before to after, t = x·D/|D|², clipped to (0, 1):
    ``|x − tD| / (2 √(t(1 − t)) |D|)``, 0.5 on a random walk of equal steps. Zero for any weighted mean of the
    neighbours, up to rounding.

    Parameters
    ----------
    projections : ndarray, shape (n, k)
        Of distinct checkpoints, in the order of training.

    Returns
    -------
    ndarray, shape (n,)
        NaN at both ends and where the neighbours are equal.
    """
    found = np.full(len(projections), np.nan)
    move, chord = projections[1:-1] - projections[:-2], projections[2:] - projections[:-2]
    square = np.sum(chord**2, axis=1)
    t = np.clip(ratio(np.sum(move * chord, axis=1), square), 1e-3, 1 - 1e-3)
    aside = np.sqrt(np.sum((move - t[:, None] * chord) ** 2, axis=1))
    found[1:-1] = ratio(aside, np.sqrt(square)) / (2 * np.sqrt(t * (1 - t)))
    return found


def unusual_offsets(offsets: np.ndarray) -> np.ndarray:
    """Offsets from the chord, enlarged where the median shows that straight lines are usual there; NaN if all are.

    What decays without a gradient goes straight at every step and is no mean of its neighbours.
    """
    usual = middle(offsets)
    return offsets / min(1.0, usual / _CURVED) if usual > _CURVED / 100 else np.full(len(offsets), np.nan)


def straight_matrices(projections: np.ndarray, norms: np.ndarray, shapes: list[tuple[int, ...]]) -> np.ndarray:
    """`unusual_offsets` of each matrix that moves by a hundredth of its norm; shape (n, n_tensors), else NaN."""
    found = np.full(norms.shape, np.nan)
    for tensor in np.flatnonzero(matrices(shapes)):
        found[:, tensor] = unusual_offsets(chord_offsets(projections[:, tensor]))
    moving = np.full(norms.shape, False)
    moving[1:-1] = moves(projections, 2) > _FAR * np.maximum(norms[:-2], norms[2:])
    return np.where(moving, found, np.nan)
