"""Distances, angles and quotients along a run that may be undefined."""

import numpy as np


def moves(projections: np.ndarray, apart: int) -> np.ndarray:
    """Return how far each tensor moves over so many checkpoints; shape (n − apart, n_tensors)."""
    return np.sqrt(np.sum((projections[apart:] - projections[:-apart]) ** 2, axis=-1))


def cosines(projections: np.ndarray, apart: int) -> np.ndarray:
    """Cosines of each tensor with itself so many checkpoints later; NaN beside a tensor of zeros."""
    length = np.sqrt(np.sum(projections**2, axis=-1))
    inner = np.sum(projections[apart:] * projections[:-apart], axis=-1)
    return ratio(inner, length[apart:] * length[:-apart])


def middle(values: np.ndarray) -> float:
    """Median of what is finite; 0 without any."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Quotient; NaN where the divisor is not above zero."""
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
