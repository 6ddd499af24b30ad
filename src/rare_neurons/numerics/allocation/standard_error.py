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
    ``E Σ_f R_f² = Σ_fv T_fv²``, those of one fold and type. One draw says little about one unit, which is why all units
    of a loss and all draws share one factor: ``(V_fold + V_type − V_(fold x type)) / V_fold`` with V summed over them,
    as in `two_way_standard_error`.

    Parameters
    ----------
    sums : ndarray, shape (draw, fold, unit)
        Sum over the targets of each fold, of the quantity that the draw's signs are multiplied with.
    signed : ndarray, shape (draw, fold, unit)
        The same with each target multiplied by the sign of its type.
    counts : ndarray, shape (fold,)
        Targets of each fold.
    signed_counts : ndarray, shape (draw, fold)
        Sum of their signs.

    Returns
    -------
    float
        1 where the sums do not vary.
    """
    pooled = dict.fromkeys(("document", "type", "pair"), 0.0)
    n = counts.sum()
    for plain, with_signs, n_signed in zip(sums, signed, signed_counts, strict=True):
        deviation = with_signs - n_signed[:, None] * (plain.sum(0) / n)
        pooled["document"] += float(cluster_variance(plain, counts).sum())
        pooled["type"] += float(np.square(deviation.sum(0)).sum()) / n**2
        pooled["pair"] += float(np.square(deviation).sum()) / n**2
    if pooled["document"] == 0:
        return 1.0
    both = two_way_standard_error(**{f"{name}_variance": np.asarray(value) for name, value in pooled.items()})
    return float(both) / pooled["document"] ** 0.5
