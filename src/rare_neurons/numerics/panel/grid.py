"""The panel's grid of document folds by type bins, and whether each stratum can fill it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.grid.folds import N_FOLDS, balance_folds
from rare_neurons.numerics.grid.panel_size import PanelSize, judge_panel_size
from rare_neurons.numerics.panel.contexts import Contexts, units
from rare_neurons.numerics.panel.rows import StratumRow
from rare_neurons.numerics.panel.targets import Targets

Index = NDArray[np.int64]


@dataclass(frozen=True)
class PanelGrid:
    """Where contexts and targets stand in the grid.

    Attributes
    ----------
    fold : ndarray of int64, shape (context,)
        Row: whole documents are in one fold.
    type_bin : ndarray of int64, shape (target,)
        Column: all targets of a token type are in one bin.
    """

    fold: Index
    type_bin: Index


def lay_grid(contexts: Contexts, targets: Targets, *, n_strata: int, n_folds: int = N_FOLDS) -> PanelGrid:
    """Put documents into folds and token types into bins, each stratum's targets spread evenly over both.

    Documents that share a context go together.

    Parameters
    ----------
    contexts : Contexts
    targets : Targets
    n_strata, n_folds : int

    Raises
    ------
    ValueError
        If there are fewer documents, or types, with targets than folds.
    """
    unit = units(contexts)
    n_types = int(targets.target_id.max()) + 1
    sides = ((unit[targets.document], len(unit)), (targets.target_id, n_types))
    fold_of_unit, bin_of_type = (
        balance_folds(_table(label, n, targets.stratum, n_strata), n_folds=n_folds) for label, n in sides
    )
    return PanelGrid(fold_of_unit[unit[contexts.document[:, 0]]], bin_of_type[targets.target_id])


def _table(label: Index, n: int, stratum: Index, n_strata: int) -> Index:
    """Targets of each of n labels in each stratum."""
    return np.bincount(label * n_strata + stratum, minlength=n * n_strata).reshape(n, n_strata)


def measure_strata(strata: Index, counts: Index, targets: Targets, names: tuple[str, ...]) -> list[StratumRow]:
    """How large each stratum is in the vocabulary, the training text and the panel.

    Parameters
    ----------
    strata : ndarray of int64, shape (vocab,)
        Stratum of each token type, -1 for none.
    counts : ndarray of int64, shape (vocab,)
        Occurrences in the training distribution.
    targets : Targets
    names : tuple of str
        Names of the strata.

    Raises
    ------
    ValueError
        If a stratum's targets come from fewer effective documents or types than the grid has folds.
    """
    rows = []
    for index, name in enumerate(names):
        mine = targets.stratum == index
        per_type = np.unique(targets.target_id[mine], return_counts=True)[1]
        per_document = np.unique(targets.document[mine], return_counts=True)[1]
        size = judge_panel_size(document_counts=per_document, type_counts=per_type)
        if size.status == "too_few":
            raise ValueError(f"the targets of stratum {name!r} come from {size.reason}")
        rows.append(_row(name, counts[strata == index], counts.sum(), per_type, per_document, size))
    return rows


def _row(name: str, member: Index, total: int, per_type: Index, per_document: Index, size: PanelSize) -> StratumRow:
    return StratumRow(
        stratum=name,
        vocabulary_types=int(member.size),
        training_mass=float(member.sum() / total),
        largest_count=int(member.max()),
        smallest_count=int(member.min()),
        n_targets=int(per_type.sum()),
        n_types=int(per_type.size),
        largest_type_share=float(per_type.max() / per_type.sum()),
        n_documents=int(per_document.size),
        n_documents_effective=size.n_documents_effective,
        n_types_effective=size.n_types_effective,
        status=size.status,
        reason=size.reason or None,
    )
