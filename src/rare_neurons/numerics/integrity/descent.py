"""Whether a run descends from its own step 0 or from another seed's."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Descent:
    """Cosine of an early checkpoint with its own start and with the starts of other seeds.

    Attributes
    ----------
    own, best_other : float
        Estimated cosines ``cos(θ_s, θ_0)`` with the run's own start, and the largest with another run's.
    standard_error : float
        Of their difference, from the projections.
    descends : bool or None
        True if the own start is nearer by `min_z` standard errors, False if another's is; None if neither.
    """

    own: float
    best_other: float
    standard_error: float
    descends: bool | None


def judge_descent(
    checkpoint: np.ndarray, *, own_start: np.ndarray, other_starts: np.ndarray, min_z: float = 5.0
) -> Descent:
    """Compare a checkpoint with candidate starts (docs/methods/integrity.md).

    The cosine of projections estimates that of the weights, like a correlation from k draws per tensor:
    ``se ≈ (1 − cos²) √(Σ |a_t|²|b_t|² / k) / (|a||b|)``, tensors being independent.

    Parameters
    ----------
    checkpoint, own_start : ndarray, shape (n_tensors, n_projections)
        Projections; `checkpoint` from an early step that differs from step 0.
    other_starts : ndarray, shape (n_runs, n_tensors, n_projections)
        Projections of the other runs' step 0, with the same seed of projection.
    min_z : float
        Standard errors of the difference needed for a verdict.

    Raises
    ------
    ValueError
        If there is no other run, or the shapes differ.
    """
    starts = np.concatenate([np.asarray(own_start)[None], np.asarray(other_starts)])
    if len(starts) < 2 or starts.shape[1:] != np.shape(checkpoint):
        raise ValueError(f"starts of shape {starts.shape} against a checkpoint of shape {np.shape(checkpoint)}")
    inner = np.einsum("tk,stk->st", checkpoint, starts)
    square, squares = np.sum(np.square(checkpoint), axis=1), np.sum(np.square(starts), axis=2)
    norms = np.sqrt(square.sum() * squares.sum(axis=1))
    cosine = inner.sum(axis=1) / norms
    error = (1 - cosine**2) * np.sqrt((square * squares).sum(axis=1) / starts.shape[2]) / norms
    rival = 1 + int(np.argmax(cosine[1:]))
    standard_error = float(np.hypot(error[0], error[rival]))
    z = (cosine[0] - cosine[rival]) / standard_error
    descends = bool(z > 0) if abs(z) >= min_z else None
    return Descent(float(cosine[0]), float(cosine[rival]), standard_error, descends)
