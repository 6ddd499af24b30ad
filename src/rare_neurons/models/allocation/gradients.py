"""Gradients of each loss at one place of the line, dotted with the update and summed over units at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from rare_neurons.errors import DataFault
from rare_neurons.models.allocation.contexts import Batch
from rare_neurons.models.allocation.units import Units
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
    model: PreTrainedModel,
    batches: Sequence[Batch],
    *,
    readout: LossReadout,
    units: Units,
    update: Mapping[str, torch.Tensor],
    strata: Sequence[int],
    with_signs: bool,
) -> NodeSums:
    """Differentiate every loss at the model's present weights; one loss at a time, its gradient dotted at once.

    Parameters
    ----------
    strata : sequence of int
        Strata that have losses, as the panel numbers them.
    with_signs : bool
        Whether to take the signed sums too, at the price of another backward pass for each loss.

    Raises
    ------
    DataFault
        If a loss or a derivative is not finite.
    """
    shape = (len(strata) * len(PARTS), N_FOLDS)
    loss, slopes = np.zeros(shape), np.zeros((*shape, len(units.units)))
    signed = np.zeros_like(slopes) if with_signs else None
    for batch in batches:
        for index, values, sign in _losses(model, batch, readout, strata):
            loss[index, batch.fold] += float(values.detach().double().sum())
            slopes[index, batch.fold] += _dotted(values.sum(), model, units, update)
            if signed is not None:
                signed[index, batch.fold] += _dotted((values * sign.to(values)).sum(), model, units, update)
    if not (np.isfinite(loss).all() and np.isfinite(slopes).all()):
        raise DataFault("losses or their gradients are not finite on the line between two checkpoints")
    return NodeSums(loss, slopes, signed)


def _losses(
    model: PreTrainedModel, batch: Batch, readout: LossReadout, strata: Sequence[int]
) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
    """Index of each loss, its values at the batch's targets, and the targets' signs."""
    hidden = model.base_model(input_ids=batch.token_ids.to(model.device), use_cache=False).last_hidden_state
    for place, stratum in enumerate(strata):
        mine = batch.stratum == stratum
        if not bool(mine.any()):
            continue
        at = hidden[batch.context[mine].to(hidden.device), batch.position[mine].to(hidden.device)]
        # The last hidden state has passed the final norm.
        found = readout.losses_of_logits(readout.head(at), batch.target_id[mine])
        for k, part in enumerate(PARTS):
            yield place * len(PARTS) + k, getattr(found, part), batch.sign[mine]


def _dotted(loss: torch.Tensor, model: PreTrainedModel, units: Units, update: Mapping[str, torch.Tensor]) -> np.ndarray:
    """Sum over each unit of gradient times update `[unit]`; products in float64."""
    parameters = dict(model.named_parameters())
    found = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True, allow_unused=True)
    gradients = dict(zip(parameters, found, strict=True))

    def product(name: str) -> torch.Tensor:
        gradient = gradients[name]
        # A tensor that no loss depends on has no gradient at all.
        return torch.zeros_like(update[name]).double() if gradient is None else gradient.double() * update[name]

    return units.sums(product).cpu().numpy()
