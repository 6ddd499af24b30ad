"""Derivatives of each loss along the line at one place, unit by unit and context by context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rare_neurons.errors import DataFault
from rare_neurons.models.allocation.contexts import Batch
from rare_neurons.models.allocation.products import LinePass, Read, TappedModel
from rare_neurons.models.layers.losses import LossReadout
from rare_neurons.numerics.grid.folds import N_FOLDS

PARTS = ("whole", "within")
"""Losses of a stratum, in the order in which they stand in every array of losses."""


@dataclass(frozen=True)
class NodeSums:
    """Sums over the targets of each document fold, float64; losses are strata x `PARTS`, in that order.

    `loss` `[loss, fold]` in nats; `slopes` `[loss, fold, unit]`: its derivative along the line by unit; `signed`, the
    same with every target multiplied by the sign of its type, or None.
    """

    loss: np.ndarray
    slopes: np.ndarray
    signed: np.ndarray | None

    @property
    def slope(self) -> np.ndarray:
        """Derivative of each summed loss `[loss]`."""
        return self.slopes.sum((1, 2))


def measure_node(
    tapped: TappedModel,
    batches: Sequence[Batch],
    *,
    readout: LossReadout,
    strata: Sequence[int],
    signs: np.ndarray | None,
) -> NodeSums:
    """Differentiate every loss at the model's present weights; one loss at a time, its gradient dotted at once.

    Parameters
    ----------
    strata : sequence of int
        Strata that have losses, as the panel numbers them.
    signs : ndarray, shape (vocab,), or None
        Sign of each token id, for the signed sums, at the price of another backward pass for each loss.

    Raises
    ------
    DataFault
        If a loss or a derivative is not finite.
    """
    shape = (len(strata) * len(PARTS), N_FOLDS)
    loss, slopes = np.zeros(shape), np.zeros((*shape, tapped.n_units))
    signed = None if signs is None else np.zeros_like(slopes)
    for batch in batches:
        for index, values, target_id, (passed, read) in _losses(tapped, batch, readout, strata):
            np.add.at(loss[index], batch.fold[read.context.cpu().numpy()], values.detach().double().cpu().numpy())
            np.add.at(slopes[index], batch.fold, passed.contract(values.sum(), read).cpu().numpy())
            if signs is not None:
                sign = torch.from_numpy(signs)[target_id].to(values)
                np.add.at(signed[index], batch.fold, passed.contract((values * sign).sum(), read).cpu().numpy())
    if not (np.isfinite(loss).all() and np.isfinite(slopes).all()):
        raise DataFault("losses or their gradients are not finite on the line between two checkpoints")
    return NodeSums(loss, slopes, signed)


def _losses(
    tapped: TappedModel, batch: Batch, readout: LossReadout, strata: Sequence[int]
) -> Iterator[tuple[int, torch.Tensor, torch.Tensor, tuple[LinePass, Read]]]:
    """Index of each loss, its values at the batch's targets, their ids, and the pass they come from."""
    passed = tapped.run(batch.token_ids)
    for place, stratum in enumerate(strata):
        mine = batch.stratum == stratum
        if not bool(mine.any()):
            continue
        read = passed.read(batch.context[mine], batch.position[mine])
        with torch.enable_grad():
            found = readout.losses_of_logits(read.logits, batch.target_id[mine])
        for k, part in enumerate(PARTS):
            yield place * len(PARTS) + k, getattr(found, part), batch.target_id[mine], (passed, read)
