"""Random sets of a set that its covariates alone choose: neurons on both sides of its edge change places."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.organisation.matching import propensity

EDGE_SHARE = 0.2
"""Members of lowest propensity that change places, as a share of the set: wider edges compare unlike neurons (among
sets of 13 by one covariate of the embedded models p was at most .05 in 0.04 with 3 or 4, 0.08 with 5, 0.14 with 8)."""

MIN_EDGE = 3
"""At least as many: C(6, 3) = 20 exchanges, the fewest that can give a p of 0.05."""


def edge_sets(chosen: ArrayLike, covariates: ArrayLike, rng: np.random.Generator, *, n_sets: int) -> NDArray[np.int64]:
    """Deal the neurons just inside and just outside the edge of a set to both sides.

    Where a covariate chooses a set, no other set is like it, but near the edge chance decides: in the order of their
    propensity the last members and the first others differ little in what the covariates tell (local randomisation at
    a cutoff; Cattaneo, Frandsen & Titiunik 2015). The rest of the set stays.

    Parameters
    ----------
    chosen : array_like of int, shape (g,)
        Distinct neurons, at most half of all.
    covariates : array_like, shape (neuron, covariate)
        Finite (`matching.neuron_covariates`).
    rng : numpy.random.Generator
        Draws exchanges where there are more than asked for.
    n_sets : int
        Most sets that are returned.

    Returns
    -------
    ndarray of int, shape (set, g)
        Every other exchange once, or ``n_sets`` random ones where there are more.

    Raises
    ------
    ValueError
        As `matching.propensity`.

    Examples
    --------
    >>> sets = edge_sets([0, 1, 2, 3], -np.arange(20.0)[:, None], np.random.default_rng(0), n_sets=99)
    >>> len(sets), set(sets[:, 0].tolist())
    (19, {0})
    """
    order = np.argsort(-propensity(covariates, chosen), kind="stable")
    inside = np.isin(order, chosen)
    members, others = order[inside], order[~inside]
    width = min(len(members), len(others), max(MIN_EDGE, round(EDGE_SHARE * len(members))))
    kept, pool = members[:-width], np.concatenate([members[-width:], others[:width]])
    if comb(2 * width, width) - 1 <= n_sets:
        # The first combination is the set itself.
        dealt = pool[np.array(list(combinations(range(2 * width), width))[1:])]
    else:
        dealt = rng.permuted(np.tile(pool, (n_sets, 1)), axis=1)[:, :width]
    return np.concatenate([np.tile(kept, (len(dealt), 1)), dealt], axis=1)
