"""Folds of contexts and halves of the panel: what is resampled and cross-fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_FOLDS = 64
HALF_A, HALF_B = 0, 1


def half_of_fold(fold: ArrayLike) -> NDArray[np.int64]:
    """Return 0 (half A) for folds 0..31 and 1 (half B) for 32..63."""
    return np.where(np.asarray(fold) < N_FOLDS // 2, HALF_A, HALF_B)


@dataclass(frozen=True, eq=False)
class FoldSums:
    """What the folds of contexts add up to for one stratum: the sample that is resampled and cross-fitted.

    Attributes
    ----------
    sums : ndarray, shape (fold, neuron)
        Sum over the stratum's targets in the fold of the per-target change of loss, nats.
    counts : ndarray, shape (fold,)
        Number of those targets; zero is allowed for single folds.
    half : ndarray, shape (fold,)
        0 for half A, 1 for half B.

    Raises
    ------
    ValueError
        On shapes that do not agree.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.float64]
    half: NDArray[np.int64]

    @classmethod
    def of(cls, sums: ArrayLike, *, counts: ArrayLike, half: ArrayLike) -> FoldSums:
        """Take anything array-like, as float64."""
        return cls(np.asarray(sums, dtype=float), np.asarray(counts, dtype=float), np.asarray(half))

    def __post_init__(self) -> None:
        """Compare the shapes."""
        if self.sums.ndim != 2 or self.counts.shape != self.sums.shape[:1] or self.half.shape != self.sums.shape[:1]:
            raise ValueError(
                f"sums {self.sums.shape}, counts {self.counts.shape}, half {self.half.shape}; "
                "they must be [fold neuron], [fold], [fold]"
            )

    def of_neurons(self, keep: NDArray) -> FoldSums:
        """Return the same folds with some of the neurons, by mask or index."""
        return FoldSums(self.sums[:, keep], self.counts, self.half)
