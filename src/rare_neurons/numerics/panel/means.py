"""Means over a stratum's targets from the means of its cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class StratumMeans:
    """Means of one stratum over all its targets.

    Attributes
    ----------
    stratum : str
    n_targets : int
    means : mapping of str to float
        By quantity.
    """

    stratum: str
    n_targets: int
    means: Mapping[str, float]


def merge_cells(stratum: Sequence[str], n_targets: ArrayLike, values: Mapping[str, ArrayLike]) -> list[StratumMeans]:
    """Merge the cells of each stratum, every target counting alike; strata in the order of their first row.

    Parameters
    ----------
    stratum : sequence of str [row]
    n_targets : array [row]
        Targets behind a row.
    values : mapping of str to array [row]
        Mean of each quantity over those targets.

    Examples
    --------
    >>> merge_cells(["rare", "rare"], [1, 3], {"loss": [2.0, 6.0]})[0].means
    {'loss': 5.0}
    """
    names, n = np.asarray(stratum), np.asarray(n_targets)
    merged = []
    for name in dict.fromkeys(names.tolist()):
        mine = names == name
        means = {k: float(np.average(np.asarray(v)[mine], weights=n[mine])) for k, v in values.items()}
        merged.append(StratumMeans(name, int(n[mine].sum()), means))
    return merged


def mean_over_strata(strata: Sequence[StratumMeans], quantity: str) -> float | None:
    """Mean of the strata's means; None without any.

    Every stratum counts alike, so that what happens to rare tokens shows.
    """
    return float(np.mean([one.means[quantity] for one in strata])) if strata else None
