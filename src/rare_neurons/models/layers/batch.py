"""Orders of every neuron's effect in one batch of contexts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.draws import Sample, draw_signs
from rare_neurons.models.layers.losses import LossReadout
from rare_neurons.models.layers.taps import Places, TappedPass, run_tapped
from rare_neurons.models.layers.upstream import target_gradients
from rare_neurons.numerics.layers.sums import N_PARTS

LAST_DRAWS = 4
"""Draws of signs in the last layer for one in the others: eight take half a pass at 160m's shape."""


@dataclass(frozen=True)
class PassSettings:
    """How the sums are made.

    Attributes
    ----------
    epsilon : float
        Size of the perturbation, as a part of δ.
    sign_draws, target_draws : int
        At least two, and at least zero.
    seed : int
    halves : bool
        Whether the losses of the two halves of the type bins are told apart, at a backward pass for each.
    """

    epsilon: float
    sign_draws: int
    target_draws: int
    seed: int
    halves: bool = True

    @property
    def last_draws(self) -> int:
        """Draws in the last layer, where they take no pass of the model."""
        return LAST_DRAWS * self.sign_draws


@dataclass(frozen=True)
class Reading:
    """A pass, its normed final residual `[target, d_model]` in its graph, and the losses' gradients at that.

    `upstream` `[loss, target, d_model]` as `target_gradients` has it.
    """

    passed: TappedPass
    normed: torch.Tensor
    upstream: torch.Tensor


class Batch:
    """Some contexts, their unperturbed pass with its graph, and δ of every neuron."""

    def __init__(
        self,
        blocks: Blocks,
        readout: LossReadout,
        sample: Sample,
        contexts: slice,
        rows: np.ndarray,
        means: torch.Tensor,
    ) -> None:
        self.blocks, self.readout, self.sample, self.contexts, self.rows = blocks, readout, sample, contexts, rows
        self.token_ids = torch.from_numpy(sample.token_ids[contexts])
        self.means, self.read_at = means, self._read_at()
        base = run_tapped(blocks, self.token_ids, places=self.read_at)
        self.deltas = [self._delta(layer, base) for layer in range(len(means))]
        self.base: Reading | None = self.read(base, labels=True)

    def _read_at(self) -> Places:
        """Context and position of the targets, each place once."""
        length = self.token_ids.shape[1]
        place = torch.unique(self.places()[0] * length + self.places()[1])
        return place // length, place % length

    def _delta(self, layer: int, base: TappedPass) -> torch.Tensor:
        """δ `[context, pos, neuron]`; of the last layer, where it is read, and zero elsewhere."""
        delta = self.means[layer] - base.activations[layer].detach()
        shape = (*self.token_ids.shape, delta.shape[-1])
        if layer < len(self.means) - 1:
            return delta.reshape(shape)
        return delta.new_zeros(shape).index_put_(base.places, delta)

    def read(self, passed: TappedPass, *, labels: bool = False) -> Reading:
        """Read the losses of the batch's targets, with `labels` also those of labels drawn from the model."""
        normed = self.readout.norm(passed.final[self.places()])
        uniform = torch.from_numpy(self.sample.uniform[self.rows]) if labels else None
        return Reading(passed, normed, target_gradients(self.readout, normed.detach(), self.target_id(), uniform))

    def places(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Context of the batch and position of each target."""
        context = torch.from_numpy(self.sample.context[self.rows] - self.contexts.start)
        return context, torch.from_numpy(self.sample.position[self.rows])

    def target_id(self) -> torch.Tensor:
        """Token of each target."""
        return torch.from_numpy(self.sample.target_id[self.rows])

    def effects(
        self,
        reading: Reading,
        chosen: np.ndarray,
        deltas: Sequence[torch.Tensor],
        *,
        losses: slice = slice(N_PARTS),
    ) -> torch.Tensor:
        """Contract the gradients of some rows' losses, summed, with δ: `[loss, context, layer, neuron]`.

        `chosen` bool `[row of the batch]`; `deltas` of the first layers, or of all.
        """
        upstream = reading.upstream[losses]
        if not chosen.any():
            return deltas[0].new_zeros(len(upstream), len(self.token_ids), len(deltas), deltas[0].shape[-1])
        keep = torch.from_numpy(chosen).to(upstream)[:, None]
        return torch.stack([reading.passed.contract(reading.normed, deltas, upstream=one * keep) for one in upstream])

    def first_order(self, reading: Reading, deltas: Sequence[torch.Tensor], settings: PassSettings) -> torch.Tensor:
        """Σ over positions of δ ∂L for every loss: `[stratum, part, half, context, layer, neuron]`."""
        stratum, half = self.sample.stratum[self.rows], self.sample.half[self.rows]
        parts = [half == 0, half == 1] if settings.halves else [half >= 0]
        strata = [stratum == s for s in range(len(self.sample.strata))]
        return torch.stack(
            [torch.stack([self.effects(reading, own & part, deltas) for part in parts], 1) for own in strata]
        )

    def gauss_newton(self) -> torch.Tensor:
        """Square effects on the within losses of drawn labels: `[stratum, context, layer, neuron]`."""
        stratum, drawn = self.sample.stratum[self.rows], slice(N_PARTS, N_PARTS + 1)
        strata = range(len(self.sample.strata))
        found = [self.effects(self.base, stratum == s, self.deltas, losses=drawn) for s in strata]
        return torch.cat(found).square_()

    def draw(self, number: int, settings: PassSettings) -> torch.Tensor:
        """Signs of each layer but the last, int8 `[layer, context, neuron]`."""
        shape = (len(self.deltas) - 1, self.deltas[0].shape[-1])
        drawn = draw_signs(self.contexts, draw=number, shape=shape, seed=settings.seed)
        return torch.from_numpy(drawn).to(self.deltas[0].device)

    def second_order(self, first: torch.Tensor, signs: torch.Tensor, settings: PassSettings) -> torch.Tensor:
        """One draw's estimate of δᵀHδ `[stratum, part, half, context, layer, neuron]`, of all layers but the last.

        `z [S(ε) − S(0)] / ε` with S the contractions of `first_order`: what other neurons' perturbations add to a
        neuron's gradient has its sign times theirs, zero on average. The last layer is left as it is (`LastLayer`):
        its perturbation would only be noise here.
        """
        signed = [z[:, None] * delta for z, delta in zip(signs, self.deltas[:-1], strict=True)]
        shifts = [settings.epsilon * shift for shift in signed]
        passed = run_tapped(self.blocks, self.token_ids, shifts=shifts, places=self.read_at)
        before = signs.movedim(0, 1) * first[..., :-1, :]
        return (self.first_order(self.read(passed), signed, settings) - before) / settings.epsilon
