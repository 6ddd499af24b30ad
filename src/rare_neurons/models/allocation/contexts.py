"""Some of a panel's contexts, spread evenly over its document folds, and the batches they are run in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.memory import FittingBatches
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.grid.folds import N_FOLDS

_OF_TARGET = ("position", "target_id", "document", "type_bin", "stratum")


@dataclass(frozen=True)
class Batch:
    """Some contexts and their targets.

    `token_ids` `[context, pos]`, `fold` `[context]`; `context` (row of `token_ids`), `position`, `target_id` and
    `stratum` `[target]`; `rows`, the targets' places in the panel.
    """

    fold: np.ndarray
    token_ids: torch.Tensor
    context: torch.Tensor
    position: torch.Tensor
    target_id: torch.Tensor
    stratum: torch.Tensor
    rows: np.ndarray


def choose_contexts(panel: PanelArrays, n_contexts: int | None, strata: Sequence[str]) -> PanelArrays:
    """Keep some contexts of a panel, sorted by fold, and of their targets those of the strata asked for.

    Only contexts that have such targets are taken (`spread_over_folds`).

    Parameters
    ----------
    panel : PanelArrays
    n_contexts : int or None
        None keeps all; a number that does not divide by the folds gives the first ones one more each.
    strata : sequence of str
        Names; targets of others are left out.

    Raises
    ------
    RequestError
        For a stratum that the panel lacks, or whose targets come from too few folds for a standard error.
    """
    unknown = [name for name in strata if name not in panel.strata]
    if unknown or not strata:
        raise RequestError(
            f"strata {', '.join(unknown) or '(none)'} asked for; the panel has {', '.join(panel.strata)}"
        )
    asked = np.isin(panel.stratum, [panel.strata.index(name) for name in strata])
    kept = spread_over_folds(np.unique(panel.context[asked]), panel.fold, n_contexts)
    place = np.full(len(panel.token_ids), -1)
    place[kept] = np.arange(len(kept))
    chosen = np.flatnonzero((place[panel.context] >= 0) & asked)
    chosen = chosen[np.argsort(place[panel.context[chosen]], kind="stable")]
    of_target = {name: getattr(panel, name)[chosen] for name in _OF_TARGET}
    some = replace(
        panel,
        **of_target,
        token_ids=panel.token_ids[kept],
        fold=panel.fold[kept],
        context=place[panel.context[chosen]],
    )
    _require_folds(some, strata)
    return some


def spread_over_folds(contexts: np.ndarray, fold: np.ndarray, n_contexts: int | None) -> np.ndarray:
    """Choose contexts, sorted by fold: the same number of each, evenly spaced, so that neighbours come last.

    Neighbours share a document. What measures layers, heads and accounts at the same number reads the same contexts.

    Parameters
    ----------
    contexts : ndarray of int
        Rows of ``fold`` to choose from, increasing.
    fold : ndarray of int
        Document fold of every context.
    n_contexts : int or None
        None for all; a number that does not divide by the folds gives the first ones one more each. What a fold does
        not have, the others give.

    Examples
    --------
    >>> spread_over_folds(np.arange(6), np.array([0, 0, 0, 0, 1, 2]), 4).tolist()
    [0, 2, 4, 5]
    """
    of_fold = [contexts[fold[contexts] == k] for k in range(N_FOLDS)]
    left = len(contexts) if n_contexts is None else n_contexts
    turns = [k for turn in range(max(map(len, of_fold))) for k, mine in enumerate(of_fold) if turn < len(mine)]
    n_of_fold = np.bincount(np.array(turns[:left], dtype=np.int64), minlength=N_FOLDS)
    return np.concatenate(
        [mine[np.arange(n) * len(mine) // max(n, 1)] for mine, n in zip(of_fold, n_of_fold, strict=True)]
    )


def _require_folds(panel: PanelArrays, strata: Sequence[str]) -> None:
    for name in strata:
        mine = panel.stratum == panel.strata.index(name)
        n_folds = len(np.unique(panel.fold[panel.context[mine]]))
        if n_folds < 2:
            raise RequestError(
                f"stratum {name!r} has targets in {n_folds} of the document folds of {len(panel.token_ids)} contexts, "
                "but a standard error needs 2; raise the number of contexts"
            )


def batches_of(panel: PanelArrays, batch_size: int) -> list[Batch]:
    """Cut contexts into batches."""
    starts = range(0, len(panel.token_ids), batch_size)
    return [_batch(panel, slice(start, start + batch_size)) for start in starts]


def _batch(panel: PanelArrays, contexts: slice) -> Batch:
    rows = np.flatnonzero((panel.context >= contexts.start) & (panel.context < contexts.stop))
    tensors = {
        "token_ids": panel.token_ids[contexts],
        "context": panel.context[rows] - contexts.start,
        **{name: getattr(panel, name)[rows] for name in ("position", "target_id", "stratum")},
    }
    whole_numbers = {k: torch.from_numpy(np.ascontiguousarray(v, dtype=np.int64)) for k, v in tensors.items()}
    return Batch(panel.fold[contexts], **whole_numbers, rows=rows)


def fitting_batches(size: int, *, device: torch.device, length: int) -> FittingBatches:
    """Return what runs work that is given a number of contexts of `length` tokens at a time."""
    too_large = (
        f"one context of {length} tokens does not fit the memory of {device}; use a larger device or shorter contexts"
    )
    return FittingBatches(size, device=device, too_large=too_large)
