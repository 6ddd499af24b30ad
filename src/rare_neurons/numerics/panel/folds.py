"""Folds of contexts and halves of the panel: what is resampled and cross-fitted."""

import numpy as np

N_FOLDS = 64
HALF_A, HALF_B = 0, 1


def half_of_fold(fold: np.ndarray) -> np.ndarray:
    """Return 0 (half A) for folds 0..31 and 1 (half B) for 32..63."""
    return np.where(np.asarray(fold) < N_FOLDS // 2, HALF_A, HALF_B)
