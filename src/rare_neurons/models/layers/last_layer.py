"""Second order of the last layer's neurons, target by target: nothing but the readout follows them."""

from __future__ import annotations

import numpy as np
import torch

from rare_neurons.models.layers.batch import Batch, PassSettings
from rare_neurons.models.layers.draws import draw_target_signs
from rare_neurons.models.layers.upstream import target_gradients
from rare_neurons.numerics.layers.sums import N_PARTS


class LastLayer:
    """The last layer at the targets of a batch.

    A neuron there acts on the loss of its own position alone, so that signs are drawn for each target, and a draw
    takes the final norm and the unembedding at the targets but no pass of the model: many draws cost little.
    """

    def __init__(self, batch: Batch) -> None:
        self.batch, blocks, at = batch, batch.blocks, batch.places()
        passed = batch.base.passed
        self.delta = batch.deltas[-1][at]
        self.final = passed.final.detach()[at]
        self.directions = blocks.directions(len(blocks) - 1)
        self.post_norm = None if blocks.post_norms is None else blocks.post_norms[-1]
        if self.post_norm is not None:
            self.written = blocks.w_out[-1](batch.means[-1] - self.delta).detach()

    def second_order(self, settings: PassSettings) -> torch.Tensor:
        """Estimate δᵀHδ by each draw of signs `[draw, stratum, part, half, context, 1, neuron]`."""
        signs = torch.from_numpy(self._draw(settings)).to(self.delta.device)
        n_draws, n_targets = signs.shape[:2]
        changes = torch.stack([(z * self.delta) @ self.directions for z in signs]) * settings.epsilon
        before = self.slopes(torch.zeros_like(self.final))
        moved = self.slopes(changes.flatten(0, 1)).unflatten(1, (n_draws, n_targets))
        curvature = (moved - before[:, None]) / settings.epsilon
        return torch.stack(
            [self._sum(curvature[:, k] @ self.directions.T * (z * self.delta), settings) for k, z in enumerate(signs)]
        )[..., None, :]

    def _draw(self, settings: PassSettings) -> np.ndarray:
        return draw_target_signs(
            self.batch.sample,
            self.batch.contexts,
            draws=settings.last_draws,
            n_neurons=self.delta.shape[-1],
            seed=settings.seed,
        )

    def slopes(self, change: torch.Tensor) -> torch.Tensor:
        """Gradients of the losses with respect to a change of what the MLP writes.

        Parameters
        ----------
        change : Tensor `[copy x target, d_model]`

        Returns
        -------
        Tensor `[part, copy x target, d_model]`
        """
        n_copies = len(change) // max(1, len(self.final))
        with torch.enable_grad():
            x = change.detach().requires_grad_()
            normed = self.batch.readout.norm(self._residual(x, n_copies))
        upstream = target_gradients(self.batch.readout, normed.detach(), self.batch.target_id().repeat(n_copies))
        return torch.stack([torch.autograd.grad(normed, x, one, retain_graph=True)[0] for one in upstream])

    def _residual(self, change: torch.Tensor, n_copies: int) -> torch.Tensor:
        final = self.final.repeat(n_copies, 1)
        if self.post_norm is None:
            return final + change
        written = self.written.repeat(n_copies, 1)
        return final + self.post_norm(written + change) - self.post_norm(written)

    def _sum(self, effects: torch.Tensor, settings: PassSettings) -> torch.Tensor:
        """Add up effects `[part, target, neuron]` to `[stratum, part, half, context, neuron]`."""
        sample, rows, n_contexts = self.batch.sample, self.batch.rows, len(self.batch.token_ids)
        n_strata, n_halves = len(sample.strata), 2 if settings.halves else 1
        half = sample.half[rows] if settings.halves else 0 * sample.half[rows]
        place = (sample.stratum[rows] * n_halves + half) * n_contexts + sample.context[rows] - self.batch.contexts.start
        sums = effects.new_zeros(N_PARTS, n_strata * n_halves * n_contexts, effects.shape[-1])
        sums.index_add_(1, torch.from_numpy(place).to(effects.device), effects)
        return sums.unflatten(1, (n_strata, n_halves, n_contexts)).movedim(0, 1)
