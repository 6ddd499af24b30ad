"""What the cells of one stratum add up to, neuron by neuron: the sample that is resampled and cross-fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CellSums:
    """Sums and counts per cell of the grid of one stratum.

    Attributes
    ----------
    sums : ndarray, shape (fold, bin, neuron)
        Sum over the stratum's targets in the cell of the per-target change of loss, nats.
    counts : ndarray, shape (fold, bin)
        Number of those targets; zero is allowed for single cells.

    Raises
    ------
    ValueError
        On shapes that do not agree or sums that are not finite.
    """

    sums: Array
    counts: Array

    @classmethod
    def of(cls, sums: ArrayLike, *, counts: ArrayLike) -> CellSums:
        """Take anything array-like, as float64."""
        return cls(np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64))

    def __post_init__(self) -> None:
        """Compare the shapes, and look for what is not finite."""
        if self.sums.ndim != 3 or self.counts.shape != self.sums.shape[:2]:
            raise ValueError(
                f"sums {self.sums.shape}, counts {self.counts.shape}; they must be [fold bin neuron] and [fold bin]"
            )
        if not np.isfinite(self.sums).all():
            raise ValueError(f"{np.count_nonzero(~np.isfinite(self.sums))} of {self.sums.size} sums are not finite")

    @property
    def n_neurons(self) -> int:
        """Neurons that the cells have sums of."""
        return int(self.sums.shape[-1])

    @property
    def by_neuron(self) -> Array:
        """The sums as `moments`, `fourth_moment` and `quadrants` take them: [neuron fold bin], a view."""
        return np.moveaxis(self.sums, -1, 0)

    def of_neurons(self, keep: NDArray) -> CellSums:
        """Return the same cells with some of the neurons, by mask or index."""
        return CellSums(self.sums[:, :, keep], self.counts)
