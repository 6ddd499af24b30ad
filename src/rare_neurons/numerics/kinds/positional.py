"""Whether a neuron is active at some positions of a context rather than at others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def position_information(by_position: NDArray[np.integer], n_contexts: int) -> NDArray[np.float64]:
    """Mutual information of a neuron being active and the position, nats, ``[neuron]``.

    ``I = mean_t KL(p_t ‖ p)`` with p_t the share of contexts in which the neuron is active at position t, and p their
    mean (Voita et al. 2023). Without any dependence it is `position_bias` on average.

    Parameters
    ----------
    by_position : int array [pos, neuron]
        Contexts in which the neuron is active there.
    n_contexts : int

    Examples
    --------
    >>> position_information(np.array([[10], [0]]), 10).round(4).tolist()
    [0.6931]
    """
    share = np.asarray(by_position, dtype=np.float64) / n_contexts
    mean = share.mean(axis=0)
    return (_divergence(share, mean) + _divergence(1 - share, 1 - mean)).mean(axis=0)


def position_bias(by_position: NDArray[np.integer], n_contexts: int) -> NDArray[np.float64]:
    """`position_information` that sampling alone gives: ``(T − 1)/T / (2 · contexts)``, 0 for constant neurons."""
    n_positions = len(by_position)
    total = by_position.sum(axis=0)
    varies = (total > 0) & (total < n_positions * n_contexts)
    return np.where(varies, (n_positions - 1) / n_positions / (2 * n_contexts), 0.0)


def _divergence(share: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = np.divide(share, mean, out=np.ones_like(share), where=(share > 0) & (mean > 0))
    return share * np.log(ratio)
