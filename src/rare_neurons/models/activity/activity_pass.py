"""One forward pass over a share of the panel's contexts: final-layer activations at some rows, counts of all layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from rare_neurons.models.activity.counting import ActivityCounts
from rare_neurons.models.activity.taps import tapped_mlps
from rare_neurons.models.forward import Captured, run_panel
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.kinds.counts import LayerCounts
from rare_neurons.numerics.kinds.ngrams import LENGTHS, Text, index_text


@dataclass(frozen=True, eq=False)
class ActivityRun:
    """What the pass leaves behind.

    Attributes
    ----------
    text : Text
    counts : list of LayerCounts
        By layer.
    captured : Captured
        At the rows, in their order.
    """

    text: Text
    counts: list[LayerCounts]
    captured: Captured


def run_activity(
    model: PreTrainedModel,
    panel: PanelArrays,
    contexts: np.ndarray,
    *,
    at: tuple[np.ndarray, np.ndarray],
    batch_size: int,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> ActivityRun:
    """Run some contexts once and keep what organisation and kinds need.

    Parameters
    ----------
    contexts : int array
        Increasing (`reading.choose_contexts`).
    at : (int array, int array)
        Context, in the panel's numbers, and position of each row.
    batch_size : int
        Contexts at a time.
    seed : int
        Of the rotations of positions.
    progress : callable, optional
        Called with the number of contexts done.

    Returns
    -------
    ActivityRun

    Notes
    -----
    The two parts of the text are documents of folds 0 to 5, and the others. Where a panel has targets at the first two
    positions of a context, activations are counted from the third on, at which a trigram ends.
    Memory beside the weights and a batch's activations: the counts (`ActivityCounts`), and rows x neurons of the final
    layer.
    """
    part = (panel.fold[contexts] >= N_FOLDS // 2).astype(int)
    text = index_text(panel.token_ids[contexts], part, min_position=max(panel.min_position, LENGTHS[-1] - 1))
    counts = ActivityCounts(text, n_layers=model.config.num_hidden_layers, seed=seed)

    def advance(done: int) -> None:
        counts.advance(done)
        if progress is not None:
            progress(done)

    context, position = at
    with tapped_mlps(model, counts.visit):
        captured = run_panel(
            model,
            torch.from_numpy(np.ascontiguousarray(text.token_ids)),
            context=torch.from_numpy(np.searchsorted(contexts, context)),
            position=torch.from_numpy(position.astype(np.int64)),
            min_position=panel.min_position,
            batch_size=batch_size,
            progress=advance,
        )
    return ActivityRun(text, counts.finish(), captured)
