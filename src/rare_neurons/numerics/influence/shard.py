"""What every metric of a checkpoint starts from."""

from dataclasses import dataclass

import numpy as np

from rare_neurons.numerics.grid.cell_sums import CellSums


@dataclass(frozen=True)
class InfluenceShard:
    """Influence of one checkpoint at one panel.

    Attributes
    ----------
    strata : tuple of str
    influence, influence_se : ndarray, shape (stratum, neuron)
        Nats.
    cell_sum : ndarray, shape (stratum, fold, bin, neuron)
        Sums of the change of loss over the targets of a cell (document fold, type bin), nats.
    within_sum : ndarray, shape (stratum, fold, bin, neuron)
        The same of its part within the target's stratum.
    cell_n : ndarray, shape (stratum, fold, bin)
        Number of those targets.
    """

    strata: tuple[str, ...]
    influence: np.ndarray
    influence_se: np.ndarray
    cell_sum: np.ndarray
    within_sum: np.ndarray
    cell_n: np.ndarray

    def cells(self, stratum: str) -> CellSums:
        """Cell sums of one stratum's influence."""
        i = self.strata.index(stratum)
        return CellSums.of(self.cell_sum[i], counts=self.cell_n[i])

    def within_cells(self, stratum: str) -> CellSums:
        """Cell sums of the part within the stratum."""
        i = self.strata.index(stratum)
        return CellSums.of(self.within_sum[i], counts=self.cell_n[i])
