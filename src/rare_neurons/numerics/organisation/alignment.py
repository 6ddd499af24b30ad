"""Whether the output directions of a set's neurons are alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.organisation.coactivation import pair_means

FAR_FROM_RIGHT = np.deg2rad(80)


def square_cosine(unit: NDArray[np.float64], sets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean squared cosine between the rows of each set, ``[set]``.

    Parameters
    ----------
    unit : ndarray, shape (neuron, d_model)
        `row_correlations.unit_rows`: centred, or without the strata's gradients, or raw rows over their lengths.
    sets : int array, shape (set, g)
    """
    return pair_means((unit @ unit.T) ** 2, sets)


def near_right_angles(unit: NDArray[np.float64], sets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Seed convention: share of pairs at 80 to 100 degrees, ``[set]``.

    Random directions have .91 of them there in 96 dimensions, and more than .9999 from 512 on.
    """
    return pair_means((np.abs(unit @ unit.T) < np.cos(FAR_FROM_RIGHT)).astype(float), sets)
