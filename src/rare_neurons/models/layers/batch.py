"""Orders of every neuron's effect in one batch of contexts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.draws import Sample, draw_signs
from rare_neurons.models.layers.losses import LossReadout, TargetLosses
from rare_neurons.models.layers.taps import TappedPass, run_tapped
from rare_neurons.numerics.layers.sums import N_PARTS


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
        self.base: TappedPass | None = run_tapped(blocks, self.token_ids)
        shape = (*self.token_ids.shape, -1)
        self.deltas = [mean - a.detach().reshape(shape) for mean, a in zip(means, self.base.activations, strict=True)]

    def residual(self, passed: TappedPass, rows: np.ndarray) -> torch.Tensor:
        """Read the final residual at some rows of the sample `[row, d_model]`."""
        context = torch.from_numpy(self.sample.context[rows] - self.contexts.start)
        return passed.final[context, torch.from_numpy(self.sample.position[rows])]

    def losses(self, passed: TappedPass, rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Whole and within losses of some rows, each `[row]`."""
        found = self.readout.losses(self.residual(passed, rows), torch.from_numpy(self.sample.target_id[rows]))
        return found.whole, found.within

    def contract(self, losses: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Contract each loss's gradient in the unperturbed pass with δ: `[part, context, layer, neuron]`."""
        return torch.stack([self.base.contract(loss.sum(), self.deltas) for loss in losses])

    def groups(self, halves: bool) -> list[list[np.ndarray]]:
        """Rows of each stratum, and of each half of its type bins if these are told apart."""
        stratum, half = self.sample.stratum[self.rows], self.sample.half[self.rows]
        parts = [half == 0, half == 1] if halves else [half >= 0]
        return [[self.rows[(stratum == s) & mine] for mine in parts] for s in range(len(self.sample.strata))]

    def first_order(
        self,
        passed: TappedPass,
        deltas: Sequence[torch.Tensor],
        settings: PassSettings,
        last: Sequence[torch.Tensor] = (),
    ) -> torch.Tensor:
        """Σ over positions of δ ∂L for every loss: `[stratum, part, half, context, layer, neuron]`.

        With further layers for what is given as `last` (`TappedPass.contract`).
        """

        def contract(rows: np.ndarray) -> torch.Tensor:
            if not len(rows):
                return self._zeros(len(deltas) + len(last))
            losses = self.losses(passed, rows)
            return torch.stack([passed.contract(loss.sum(), deltas, last) for loss in losses])

        groups = self.groups(settings.halves)
        return torch.stack([torch.stack([contract(rows) for rows in halves], 1) for halves in groups])

    def _zeros(self, n_layers: int) -> torch.Tensor:
        """Effects of no targets `[part, context, layer, neuron]`."""
        return self.deltas[0].new_zeros(N_PARTS, len(self.token_ids), n_layers, self.deltas[0].shape[-1])

    def gauss_newton(self) -> torch.Tensor:
        """Square effects on the losses of labels drawn from the model: `[stratum, part, context, layer, neuron]`."""
        found = []
        for (rows,) in self.groups(halves=False):
            if not len(rows):
                found.append(self._zeros(len(self.deltas)))
                continue
            logits = self.readout.logits(self.residual(self.base, rows))
            own = torch.from_numpy(self.sample.target_id[rows]).to(logits.device)
            uniform = torch.from_numpy(self.sample.uniform[:, rows]).to(logits)
            whole, within = draw_labels(logits.detach(), uniform, self.readout.class_of_id, own)
            drawn: tuple[TargetLosses, ...] = tuple(self.readout.losses_of_logits(logits, y) for y in (whole, within))
            found.append(self.contract((drawn[0].whole, drawn[1].within)).square())
        return torch.stack(found)

    def draw(self, number: int, settings: PassSettings) -> list[torch.Tensor]:
        """Signs of each layer, int8 `[context, 1 or pos, neuron]`."""
        shape = (len(self.deltas), self.deltas[0].shape[-1])
        drawn = draw_signs(self.sample, self.contexts, draw=number, shape=shape, seed=settings.seed)
        return [torch.from_numpy(z).to(self.deltas[0].device) for z in drawn]

    def signed(self, signs: Sequence[torch.Tensor], layer: int) -> torch.Tensor:
        """Multiply δ of one layer by its signs `[context, pos, neuron]`."""
        return signs[layer] * self.deltas[layer]

    def second_order(
        self, first: torch.Tensor, number: int, signs: Sequence[torch.Tensor], settings: PassSettings
    ) -> torch.Tensor:
        """One draw's estimate of δᵀHδ of every neuron `[stratum, part, half, context, layer, neuron]`.

        `z [S(ε) − S(0)] / ε` with S the contractions of `first_order`: what other neurons' perturbations add to a
        neuron's gradient has its sign times theirs, zero on average.
        """
        n_layers = len(self.deltas)
        signed = [self.signed(signs, layer) for layer in range(n_layers)]
        passed = run_tapped(self.blocks, self.token_ids, shifts=[settings.epsilon * shift for shift in signed])
        before = [z * first[..., layer, None, :] for layer, z in enumerate(signs[:-1])]
        before = torch.cat([*before, first[..., n_layers + number, None, :]], -2)
        return (self.first_order(passed, signed, settings) - before) / settings.epsilon


def draw_labels(
    logits: torch.Tensor, uniform: torch.Tensor, class_of_id: torch.Tensor, own: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels `[target]` from softmax of `logits` `[target, vocab]`, and from it within the class of the ids `own`.

    `uniform` `[part, target]` in (0, 1] decides which.
    """
    p = logits.softmax(-1)
    outside = class_of_id[None] != class_of_id[own][:, None]
    return tuple(_invert(q, u) for q, u in zip((p, p.masked_fill(outside, 0)), uniform, strict=True))


def _invert(p: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """First label at which the running sum of the weights `[target, vocab]` reaches its part `uniform`."""
    running = p.cumsum(-1)
    return torch.searchsorted(running, uniform[:, None] * running[:, -1:])[:, 0].clamp_max(p.shape[-1] - 1)
