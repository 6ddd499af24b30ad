"""Where activations are read: positions of part B of the grid, which shares nothing with part A that chose the sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rare_neurons.errors import RequestError
from rare_neurons.models.panel_arrays import PARTS, PanelArrays
from rare_neurons.numerics.grid.folds import N_FOLDS

SPLITS = ((0, 3), (1, 2))
"""Pairs of blocks of part B that share neither documents nor target types."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Positions at which final-layer activations are kept, all `[row]`.

    Attributes
    ----------
    context, position, target_id, input_id, stratum : int array
        As in `PanelArrays`.
    block : int array
        0 to 3: halves of part B's document folds by halves of its type bins, row-major.
    """

    context: np.ndarray
    position: np.ndarray
    target_id: np.ndarray
    input_id: np.ndarray
    stratum: np.ndarray
    block: np.ndarray


def choose_contexts(fold: np.ndarray, share: float) -> np.ndarray:
    """Contexts of the pass: the same share of every document fold, evenly spaced, at least one; increasing.

    Raises
    ------
    RequestError
        If the share is not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise RequestError(f"activity: share={share} of the contexts; choose above 0 to 1")
    chosen = []
    for number in np.unique(fold):
        members = np.flatnonzero(fold == number)
        chosen.append(members[_evenly(len(members), max(1, round(share * len(members))))])
    return np.sort(np.concatenate(chosen))


def choose_targets(panel: PanelArrays, contexts: np.ndarray, *, most: int) -> np.ndarray:
    """Targets of part B in some contexts on which sets are ablated: at most `most` of a stratum, evenly spaced."""
    in_b = PARTS[1].ravel()[panel.cell()] & np.isin(panel.context, contexts)
    found = [np.flatnonzero(in_b & (panel.stratum == s)) for s in range(len(panel.strata))]
    return np.sort(np.concatenate([rows[_evenly(len(rows), min(most, len(rows)))] for rows in found]))


def choose_rows(panel: PanelArrays, contexts: np.ndarray, *, most: int) -> Rows:
    """Eligible positions of part B whose next token has a stratum and a type bin: more than the panel's targets.

    Parameters
    ----------
    panel : PanelArrays
        Whose strata are those of the targets.
    contexts : int array
        Contexts of the pass.
    most : int
        Rows of a stratum and block, evenly spaced.
    """
    type_bin = np.full(len(panel.vocab_stratum), -1)
    type_bin[panel.target_id] = panel.type_bin
    ids = panel.token_ids[contexts]
    context, position = np.meshgrid(contexts, np.arange(panel.min_position, ids.shape[1] - 1), indexing="ij")
    target = ids[:, panel.min_position + 1 :].ravel()
    context, position = context.ravel(), position.ravel()
    fold, bins, stratum = panel.fold[context], type_bin[target], panel.vocab_stratum[target]
    half = N_FOLDS // 2
    in_b = np.flatnonzero((fold >= half) & (bins >= half) & (stratum >= 0))
    quarter = half + half // 2
    block = 2 * (fold[in_b] >= quarter) + (bins[in_b] >= quarter)
    kept = []
    for s in range(len(panel.strata)):
        for b in range(4):
            members = in_b[(stratum[in_b] == s) & (block == b)]
            kept.append(members[_evenly(len(members), min(most, len(members)))])
    rows = np.sort(np.concatenate(kept))
    return Rows(
        context[rows],
        position[rows],
        target[rows],
        panel.token_ids[context[rows], position[rows]],
        stratum[rows],
        block[np.searchsorted(in_b, rows)],
    )


def _evenly(n: int, most: int) -> np.ndarray:
    return np.arange(most) * n // max(most, 1)
