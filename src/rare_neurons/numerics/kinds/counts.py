"""What an activity pass has counted of one layer: where each neuron was active."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LayerCounts:
    """Where the neurons of a layer are active (pre-activation above zero), at eligible positions.

    Attributes
    ----------
    n_active : int array [part, neuron]
    frequent : int array [k]
        Token ids that `by_type` counts.
    by_type : int array [part, k, neuron]
        Activations by the token at the position.
    by_position, by_rotated : int array [pos, neuron]
        Activations of both parts by position from the first eligible one on; the second with the positions of each
        context rotated by a random number of places, which keeps runs of activity.
    listed : bool array [neuron]
        Neurons rare enough for a list of all their activations.
    offsets, positions : int arrays [neuron + 1], [entry]
        The places of neuron i are ``positions[offsets[i]:offsets[i + 1]]``, increasing: ``context * length + pos``.
    sd : float array [neuron]
        Of the activation.
    """

    n_active: NDArray[np.integer]
    frequent: NDArray[np.integer]
    by_type: NDArray[np.integer]
    by_position: NDArray[np.integer]
    by_rotated: NDArray[np.integer]
    listed: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    positions: NDArray[np.integer]
    sd: NDArray[np.float64]

    @property
    def n_neurons(self) -> int:
        """Neurons of the layer."""
        return self.n_active.shape[1]

    def places(self, neuron: int) -> NDArray[np.integer]:
        """Return all places where a listed neuron is active."""
        return self.positions[self.offsets[neuron] : self.offsets[neuron + 1]]
