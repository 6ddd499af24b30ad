"""Which activation meets which output direction in a placebo."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_GROUPS = 10
"""Groups of equal size in the order of the norms, within which output directions are exchanged."""
FEWEST = 4
"""Neurons of a group; small layers have fewer groups, or all draws would be the same."""


def placebo_permutations(norms: ArrayLike, *, n_draws: int, seed: int) -> NDArray[np.int64]:
    """Exchange the rows of `W_out` between neurons whose rows are about as long.

    Within each tenth of the order of norms a uniformly drawn cycle: every row meets the activation of another neuron
    (where there is another), and direction and activation belong together in no neuron. Draws do not
    depend on how many there are, and follow from the seed and the ranks of the norms alone. The cycle runs through the
    tenth in an order of all neurons that is drawn once, so that a neuron that changes its tenth from one checkpoint to
    the next changes few partners: what placebos of neighbouring checkpoints share leaves their difference.

    Parameters
    ----------
    norms : array_like, shape (neuron,)
        Euclidean norms of the rows of `W_out`; of equal ones the first ranks lower.
    n_draws, seed : int

    Returns
    -------
    ndarray of int, shape (n_draws, neuron)
        Neuron whose activation row j of `W_out` meets; each draw is a permutation.

    Raises
    ------
    ValueError
        If a norm is not finite.

    Examples
    --------
    >>> placebo_permutations([3.0, 1.0, 1.1, 2.9], n_draws=1, seed=0).shape
    (1, 4)
    """
    values = np.asarray(norms, dtype=np.float64)
    if not np.all(np.isfinite(values)):
        raise ValueError(f"{int(np.count_nonzero(~np.isfinite(values)))} of {values.size} norms are not finite")
    order = np.argsort(values, kind="stable")
    groups = np.array_split(order, min(N_GROUPS, max(1, values.size // FEWEST)))
    found = np.empty((n_draws, values.size), dtype=np.int64)
    for draw in range(n_draws):
        place = np.random.default_rng([seed, draw]).permutation(values.size)
        for members in groups:
            cycle = members[np.argsort(place[members])]
            found[draw, cycle] = np.roll(cycle, 1)
    return found
