"""How much wider or narrower intervals become with another panel, before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class StratumSize:
    """What a stratum's targets are in number.

    Attributes
    ----------
    n_targets : int
    n_documents_effective, n_types_effective : float
        As `numerics.grid.panel_size.effective_count`.
    """

    n_targets: int
    n_documents_effective: float
    n_types_effective: float


@dataclass(frozen=True)
class Shares:
    """Parts of one target's variance that it shares with others.

    Attributes
    ----------
    document, token_type : float
        Shared by all targets of a document, of a token type.
    """

    document: float
    token_type: float


TYPICAL = Shares(document=0.025, token_type=0.05)
"""Of a neuron's influence: median neuron of an embedded model at steps 16 and 1,000 (docs/methods/panel.md)."""


def relative_variance(size: StratumSize, shares: Shares = TYPICAL) -> float:
    """Variance of a stratum's mean in units of one target's.

    `(1 − ρ_document − ρ_type) / n + ρ_document / D + ρ_type / T` with n targets from D effective documents and T
    effective token types: the two-way form of Kish's design effect. More targets of as many documents and types make
    the first term smaller and no other.

    Parameters
    ----------
    size : StratumSize
    shares : Shares

    Examples
    --------
    Without anything shared it is 1/n; with a shared part, many targets of few types leave that of the types:

    >>> relative_variance(StratumSize(100, 20, 10), Shares(0.0, 0.0))
    0.01
    >>> round(relative_variance(StratumSize(10**9, 10**9, 10), Shares(0.0, 0.05)), 6)
    0.005
    """
    own = 1 - shares.document - shares.token_type
    return (
        own / size.n_targets + shares.document / size.n_documents_effective + shares.token_type / size.n_types_effective
    )


def error_ratio(size: StratumSize, before: StratumSize, shares: Shares = TYPICAL) -> float:
    """Compare the standard error of one panel with that of another: `√(V / V_before)`.

    Parameters
    ----------
    size, before : StratumSize
    shares : Shares

    Examples
    --------
    A quarter of the targets, each of a document and a type of its own:

    >>> error_ratio(StratumSize(25, 25, 25), StratumSize(100, 100, 100))
    2.0
    """
    return float(np.sqrt(relative_variance(size, shares) / relative_variance(before, shares)))
