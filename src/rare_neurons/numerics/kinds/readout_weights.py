"""What the weights say of entropy neurons: large, and hardly read by the unembedding (Stolfo et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

NULL_SHARE = 0.01
"""Share of the directions of the residual stream that are called the null space of the unembedding."""


@dataclass(frozen=True, eq=False)
class ReadoutWeights:
    """Statistics of final-layer output directions `[neuron]`, beside their chance values.

    Attributes
    ----------
    norm : float array
        |w_out|, centred where the final norm centres.
    logit_variance : float array
        d times the variance over the vocabulary of the cosine with each row of the unembedding: about 1 by chance.
    null_share : float array
        Length of the part in the k directions that the unembedding reads least, over the whole: ρ.
    null_chance : float
        √(k/d') for a random direction, d' the directions without the one that the norm takes off.
    """

    norm: NDArray[np.float64]
    logit_variance: NDArray[np.float64]
    null_share: NDArray[np.float64]
    null_chance: float


def read_weights(W_out: ArrayLike, unembedding: ArrayLike, *, norm_centres: bool) -> ReadoutWeights:
    """Measure every neuron's output direction against the unembedding.

    Parameters
    ----------
    W_out : array_like, shape (neuron, d_model)
    unembedding : array_like, shape (vocab, d_model)
        Rows with the final norm's weight folded in.
    norm_centres : bool
        Whether the final norm takes the mean off: the all-ones direction is then read by nothing, and left out.

    Returns
    -------
    ReadoutWeights

    Notes
    -----
    The null space is of the rows less their mean, which moves all logits alike. With so few directions the largest of
    many neurons is far above chance at initialisation already (.338 was seen): compare maxima with maxima.
    """
    w, rows = (np.asarray(x, dtype=np.float64) for x in (W_out, unembedding))
    if norm_centres:
        w, rows = (x - x.mean(axis=1, keepdims=True) for x in (w, rows))
    width = w.shape[1]
    length = np.linalg.norm(w, axis=1)
    unit = w / np.where(length > 0, length, 1.0)[:, None]
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    directions = rows / np.where(sizes > 0, sizes, 1.0)
    # The variance over the vocabulary from d x d sums: cosines of all pairs would take vocab x neurons.
    mean = directions.mean(axis=0)
    spread = directions.T @ directions / len(directions) - np.outer(mean, mean)
    variance = np.einsum("nd,de,ne->n", unit, spread, unit, optimize=True)
    centred = rows - rows.mean(axis=0)
    vectors = np.linalg.eigh(centred.T @ centred)[1]
    if norm_centres:
        vectors = vectors[:, 1:]
    k = max(1, round(NULL_SHARE * width))
    share = np.linalg.norm(unit @ vectors[:, :k], axis=1)
    return ReadoutWeights(length, width * variance, share, float(np.sqrt(k / vectors.shape[1])))


def entropy_candidates(weights: ReadoutWeights, k: int) -> NDArray[np.int64]:
    """Return the k neurons that are large for what the unembedding reads of them, |w| over `logit_variance`.

    Their effect on the entropy is worth a pass over the vocabulary each.
    """
    return np.argsort(weights.logit_variance / np.maximum(weights.norm, np.finfo(float).tiny), kind="stable")[:k]
