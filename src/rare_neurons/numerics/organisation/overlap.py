"""Whether the neurons that matter for one stratum are those that matter for another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.columns import Column
from rare_neurons.numerics.organisation.comparison import QUANTILES, share_as_far

SHARES = (0.02, 0.05, 0.1, 0.2)
TENTHS = 10


@dataclass(frozen=True, slots=True)
class Overlap:
    """Shared members of the top sets of two strata, at one size.

    Attributes
    ----------
    n_set, overlap : int
    expected : float
        For sets at random, k²/N.
    null_low, null_median, null_high : float
    p_value : float
        Two-sided.
    """

    n_set: Annotated[int, Column("neurons", "size of both sets")]
    overlap: Annotated[int, Column("neurons", "in both")]
    expected: Annotated[float, Column("neurons", "in both if sets were drawn at random from all neurons")]
    null_low: Annotated[float, Column("neurons", "5 % where neurons change places within tenths of |w_out|·sd")]
    null_median: Annotated[float, Column("neurons", "50 % of the same")]
    null_high: Annotated[float, Column("neurons", "95 % of the same")]
    p_value: Annotated[float, Column(None, "two-sided share of these exchanges as far out")]


def measure_overlap(
    one: ArrayLike,
    other: ArrayLike,
    strength: ArrayLike,
    *,
    rng: np.random.Generator,
    shares: Sequence[float] = SHARES,
    n_draws: int = 999,
) -> list[Overlap]:
    """Count the shared members of two top sets, for each size.

    Parameters
    ----------
    one, other : array_like, shape (neuron,)
        Influence on one stratum in one part, and on the other in a part that shares neither documents nor types.
    strength : array_like, shape (neuron,)
        |w_out|·sd(activation): neurons that write much are in both sets for that alone.
    rng : numpy.random.Generator
    shares : sequence of float
        Sizes, as shares of the neurons; at least two.
    n_draws : int

    Returns
    -------
    list of Overlap
    """
    values = [-np.abs(np.asarray(v, dtype=np.float64)) for v in (one, other)]
    n_neurons = len(values[0])
    if any(len(v) != n_neurons for v in (values[1], np.asarray(strength))):
        raise ValueError(f"overlap: influences and strengths of {n_neurons} neurons expected, got other lengths")
    ranks = [np.argsort(np.argsort(v, kind="stable")) for v in values]
    order = np.argsort(np.asarray(strength), kind="stable")
    tenths = np.array_split(order, min(TENTHS, n_neurons))
    places = np.tile(np.arange(n_neurons), (n_draws, 1))
    for members in tenths:
        places[:, members] = rng.permuted(np.tile(members, (n_draws, 1)), axis=1)
    return [_at(max(2, round(share * n_neurons)), ranks, places) for share in shares]


def _at(size: int, ranks: Sequence[NDArray[np.int64]], places: NDArray[np.int64]) -> Overlap:
    first, second = (rank < size for rank in ranks)
    drawn = (first[places] & second).sum(axis=1).astype(float)
    shared = int((first & second).sum())
    low, median, high = (float(q) for q in np.quantile(drawn, QUANTILES))
    return Overlap(size, shared, size**2 / len(first), low, median, high, share_as_far(drawn, shared, "two-sided"))
