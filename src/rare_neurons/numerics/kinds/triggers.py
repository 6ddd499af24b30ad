"""Whether a detector promotes or suppresses its trigger in the readout."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 100


def trigger_percentile(
    directions: NDArray[np.floating],
    w_out: NDArray[np.float64],
    *,
    trigger: int,
    by_count: NDArray[np.int64],
) -> float:
    """Share of a trigger's neighbours in frequency that a neuron writes less for.

    Parameters
    ----------
    directions : array [vocab, d_model]
        Rows of the unembedding, with the final norm's weight, or of the embedding.
    w_out : array [d_model]
        Output direction of the neuron, centred where the final norm centres.
    trigger : int
        Token id.
    by_count : int array [seen]
        Ids of the tokens that occur, the most frequent first.

    Returns
    -------
    float
        Near 0: it suppresses its trigger; near 1: it promotes it; uniform for a direction that knows nothing of it.

    Raises
    ------
    ValueError
        If the trigger is not among the tokens that occur.
    """
    found = np.flatnonzero(by_count == trigger)
    if not found.size:
        raise ValueError(f"trigger {trigger} is not among the {len(by_count)} tokens that occur")
    place, width = int(found[0]), min(NEIGHBOURS, len(by_count) - 1)
    start = min(max(place - width // 2, 0), len(by_count) - 1 - width)
    near = np.delete(by_count[start : start + width + 1], place - start)
    own = directions[trigger] @ w_out
    return float(np.mean(directions[near] @ w_out < own))
