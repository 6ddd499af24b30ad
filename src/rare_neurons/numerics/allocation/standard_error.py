"""Standard errors of allocations: document folds for each unit, token types by random signs for all units together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.panel.standard_error import cluster_variance, two_way_standard_error

Array = NDArray[np.float64]


def document_standard_error(sums: Array, counts: Array) -> Array:
    """Estimate the standard error of each mean from its sums over document folds.

    Parameters
    ----------
    sums : ndarray, shape (fold, ...)
        Sum over the targets of each fold.
    counts : ndarray, shape (fold,)
        Targets of each fold.

    Returns
    -------
    ndarray, shape (...)
    """
    return np.sqrt(cluster_variance(sums, counts))


def two_way_factor(sums: Array, signed: Array, *, counts: Array, signed_counts: Array) -> float:
    """Ratio of the standard error by documents and types to that by documents alone, pooled over units.

    Sums by type would need a backward pass for each group of types. Instead each type draws one sign z for all folds:
    with ``T`` the deviation of a type's sum in a fold from what its number of targets makes expected,
    ``R_f = Σ_v z_v T_fv`` has ``E (Σ_f R_f)² = Σ_v (Σ_f T_fv)²``, the clusters of one type, and
    ``E Σ_f R_f² = Σ_fv T_fv²``, those of one fold and type. One draw says little about one unit and enough about
    hundreds, which is why all units of a loss share the factor: ``(V_fold + V_type − V_(fold x type)) / V_fold`` with
    V summed over units, as in `two_way_standard_error`.

    Parameters
    ----------
    sums : ndarray, shape (fold, unit)
        Sum over the targets of each fold.
    signed : ndarray, shape (fold, unit)
        The same with each target multiplied by the sign of its type.
    counts, signed_counts : ndarray, shape (fold,)
        Targets of each fold, and the sum of their signs.

    Returns
    -------
    float
        1 where the sums do not vary.
    """
    n = counts.sum()
    by_fold = cluster_variance(sums, counts)
    deviation = signed - signed_counts[:, None] * (sums.sum(0) / n)
    by_type, by_pair = np.square(deviation.sum(0)) / n**2, np.square(deviation).sum(0) / n**2
    total = float(by_fold.sum())
    if total == 0:
        return 1.0
    pooled = {"document": total, "type": by_type.sum(), "pair": by_pair.sum()}
    both = two_way_standard_error(**{f"{name}_variance": np.asarray(value) for name, value in pooled.items()})
    return float(both) / total**0.5
