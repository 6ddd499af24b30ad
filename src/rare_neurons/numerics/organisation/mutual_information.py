"""Whether neurons of a set depend on each other in ways that correlation does not see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import digamma, ndtri

from rare_neurons.numerics.organisation.comparison import share_as_far
from rare_neurons.numerics.ranks import average_ranks

NEIGHBOURS = 3
MIN_ROWS, MAX_PAIRS = 2000, 500
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MutualInformation:
    """Mean over pairs of what mutual information has beyond that of a Gaussian pair of equal correlation, nats.

    Attributes
    ----------
    value, null_median, p_value : float
        The null permutes whole contexts of one neuron of each pair.
    n_pairs, n_rows : int
    """

    value: float
    null_median: float
    p_value: float
    n_pairs: int
    n_rows: int


def normal_scores(values: Array) -> Array:
    """Replace each column's values by normal quantiles of their ranks."""
    return ndtri((average_ranks(values, axis=0) - 0.5) / len(values))


def ksg(x: Array, y: Array, *, k: int = NEIGHBOURS) -> float:
    """Mutual information of two variables, nats (Kraskov, Stögbauer & Grassberger 2004, eq. 8).

    Parameters
    ----------
    x, y : array [row]
        Without ties: `normal_scores` of continuous values.
    k : int

    Returns
    -------
    float
        Zero on average without dependence, and below it by chance.
    """
    n = len(x)
    both = np.stack([x, y], axis=1)
    reach = cKDTree(both).query(both, k=k + 1, p=np.inf)[0][:, -1]
    counts = []
    for values in (x, y):
        ordered = np.sort(values)
        below = np.searchsorted(ordered, values - reach, side="right")
        counts.append(np.maximum(np.searchsorted(ordered, values + reach, side="left") - below, 1))
    return float(digamma(k) + digamma(n) - np.mean(digamma(counts[0]) + digamma(counts[1])))


def measure_mutual_information(
    activations: Array,
    context: NDArray[np.int64],
    *,
    rng: np.random.Generator,
    n_permutations: int = 19,
    max_pairs: int = MAX_PAIRS,
) -> MutualInformation:
    """Measure the mutual information of a set's pairs beyond that of Gaussian pairs.

    Parameters
    ----------
    activations : array [row, neuron]
        Of the set's neurons, residualised, rows of a context one after another.
    context : int array [row]
    rng : numpy.random.Generator
    n_permutations, max_pairs : int

    Returns
    -------
    MutualInformation

    Raises
    ------
    ValueError
        If there are fewer than 2,000 rows: the estimator's spread is then that of what is looked for.

    Notes
    -----
    Permuting rows instead of whole contexts gives 13 % of independent neurons a p below .05. Time: about 10 ms for a
    pair and permutation at 2,000 rows.
    """
    n_rows, size = activations.shape
    if n_rows < MIN_ROWS:
        raise ValueError(f"mutual information of {n_rows} rows, but {MIN_ROWS} are needed; use more contexts")
    scores = normal_scores(activations)
    pairs = np.stack(np.triu_indices(size, 1), axis=1)
    if len(pairs) > max_pairs:
        pairs = pairs[np.sort(rng.permutation(len(pairs))[:max_pairs])]
    blocks = np.split(np.arange(n_rows), np.flatnonzero(np.diff(context)) + 1)
    drawn = np.empty(1 + n_permutations)
    for draw in range(1 + n_permutations):
        order = np.concatenate([blocks[k] for k in rng.permutation(len(blocks))]) if draw else np.arange(n_rows)
        drawn[draw] = np.mean([_beyond_gaussian(scores[:, i], scores[order, j]) for i, j in pairs])
    p_value = share_as_far(drawn[1:], float(drawn[0]), "upper")
    return MutualInformation(float(drawn[0]), float(np.median(drawn[1:])), p_value, len(pairs), n_rows)


def _beyond_gaussian(x: Array, y: Array) -> float:
    r = np.corrcoef(x, y)[0, 1]
    return ksg(x, y) + 0.5 * np.log1p(-(r**2))
