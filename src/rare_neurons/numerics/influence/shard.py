"""What every metric of a checkpoint starts from."""

from dataclasses import dataclass

import numpy as np

from rare_neurons.numerics.panel.folds import FoldSums


@dataclass(frozen=True)
class InfluenceShard:
    """Influence of one checkpoint at one panel.

    Attributes
    ----------
    strata : tuple of str
    influence, influence_se : ndarray, shape (stratum, neuron)
        Nats.
    fold_sum : ndarray, shape (stratum, fold, neuron)
        Sums over the targets of a fold, nats.
    fold_n : ndarray, shape (stratum, fold)
        Number of those targets.
    half_of_fold : ndarray, shape (fold,)
        0 for half A, 1 for half B.
    """

    strata: tuple[str, ...]
    influence: np.ndarray
    influence_se: np.ndarray
    fold_sum: np.ndarray
    fold_n: np.ndarray
    half_of_fold: np.ndarray

    def folds(self, stratum: str) -> FoldSums:
        """Fold sums of one stratum."""
        i = self.strata.index(stratum)
        return FoldSums.of(self.fold_sum[i], counts=self.fold_n[i], half=self.half_of_fold)
