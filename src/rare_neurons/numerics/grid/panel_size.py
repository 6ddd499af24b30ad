"""Whether a stratum's targets come from enough documents and enough token types."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .folds import N_FOLDS

WARN_BELOW = 30.0
"""Effective number below which nominal 90 % intervals of means cover less than 88 % (docs/methods/evidence.md)."""


@dataclass(frozen=True, slots=True)
class PanelSize:
    """Effective numbers of one stratum and what follows from them.

    Attributes
    ----------
    n_documents_effective, n_types_effective : float
        ``(Σn)² / Σn²`` over the targets of each document, of each type: as many equally frequent ones.
    status : str
        ``ok``, ``few`` (usable, intervals too narrow: warn) or ``too_few`` (refuse the panel).
    reason : str
        Empty when ``ok``, else one sentence with subject, value, limit and remedy.
    """

    n_documents_effective: float
    n_types_effective: float
    status: str
    reason: str


def effective_count(counts: ArrayLike) -> float:
    """Count the equally large clusters that would carry as much information (Kish 1965): ``(Σn)² / Σn²``.

    Parameters
    ----------
    counts : array_like, shape (cluster,)
        Targets of each cluster, not negative.

    Returns
    -------
    float
        Between 1 and the number of clusters with targets.

    Raises
    ------
    ValueError
        If there is no target at all or a count is negative.

    Examples
    --------
    >>> effective_count([10, 10, 10]), round(effective_count([98, 1, 1]), 2)
    (3.0, 1.04)
    """
    sizes = np.asarray(counts, dtype=np.float64)
    if sizes.ndim != 1 or sizes.sum() <= 0 or np.any(sizes < 0):
        raise ValueError(f"counts of shape {sizes.shape} must be one-dimensional, not negative and not all zero")
    return float(sizes.sum() ** 2 / np.square(sizes).sum())


def judge_panel_size(
    *, document_counts: ArrayLike, type_counts: ArrayLike, n_folds: int = N_FOLDS, warn_below: float = WARN_BELOW
) -> PanelSize:
    """Say whether a stratum can be resampled by documents and by types.

    Refused with fewer effective documents or types than folds; warned below ``warn_below``.

    Parameters
    ----------
    document_counts, type_counts : array_like, shape (document,), (type,)
        Targets of each document and of each token type of the stratum.
    n_folds : int
    warn_below : float

    Returns
    -------
    PanelSize

    Raises
    ------
    ValueError
        As `effective_count`.
    """
    size = {"documents": effective_count(document_counts), "token types": effective_count(type_counts)}
    for limit, status in ((float(n_folds), "too_few"), (warn_below, "few")):
        short = [f"{value:.1f} effective {what}" for what, value in size.items() if value < limit]
        if short:
            use = "cannot fill the folds" if status == "too_few" else "make intervals too narrow"
            reason = f"{' and '.join(short)}, but fewer than {limit:g} {use}; take fewer targets of more of them"
            return PanelSize(size["documents"], size["token types"], status, reason)
    return PanelSize(size["documents"], size["token types"], "ok", "")
