"""Exact ablation of chosen neurons, from the block that they are in onwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from rare_neurons.models.layers.blocks import Blocks, Trace
from rare_neurons.models.layers.draws import Sample
from rare_neurons.models.layers.losses import LossReadout
from rare_neurons.numerics.layers.sums import N_PARTS


def ablate(
    blocks: Blocks,
    readout: LossReadout,
    sample: Sample,
    means: torch.Tensor,
    neurons: Sequence[np.ndarray],
    *,
    batch_size: int,
    tick: Callable[[int], None] | None = None,
) -> list[np.ndarray]:
    """Change of every target's losses when a neuron is set to its mean at all positions.

    Parameters
    ----------
    means : Tensor `[layer, neuron]`
    neurons : sequence of int `[chosen]`
        Which neurons of each layer.
    batch_size : int
        Contexts at a time, copies of them included.
    tick : callable, optional
        Called with the number of contexts done.

    Returns
    -------
    list of float32 `[part, chosen, target]`
        By layer; nats, whole and within.
    """
    changes = [np.zeros((N_PARTS, len(chosen), len(sample.context)), dtype=np.float32) for chosen in neurons]
    with torch.no_grad():
        for contexts, rows in sample.batches(batch_size):
            token_ids = torch.from_numpy(sample.token_ids[contexts])
            trace = blocks.trace(token_ids)
            at = (
                torch.from_numpy(sample.context[rows] - contexts.start),
                torch.from_numpy(sample.position[rows]),
            )
            base = LossChange(readout, trace.final[at], torch.from_numpy(sample.target_id[rows]))
            n_copies = max(1, batch_size // len(token_ids))
            for layer, chosen in enumerate(neurons):
                for start in range(0, len(chosen), n_copies):
                    some = torch.from_numpy(chosen[start : start + n_copies]).to(means.device)
                    final = _ablated(blocks, trace, layer, some, means[layer])
                    found = torch.stack([base.measure(one[at]) for one in final], 1)
                    changes[layer][:, start : start + len(some), rows] = found.cpu().numpy()
            if tick is not None:
                tick(contexts.stop)
    return changes


def _ablated(blocks: Blocks, trace: Trace, layer: int, neurons: torch.Tensor, means: torch.Tensor) -> torch.Tensor:
    """Run with one neuron after the other at its mean: final residual stream `[neuron, context, pos, d_model]`."""
    delta = (means[neurons] - trace.activations[layer][..., neurons]).movedim(-1, 0)
    change = delta[..., None] * blocks.directions(layer)[neurons][:, None, None]
    return blocks.run_from(layer + 1, blocks.after_mlp_change(trace, layer, change), trace)


class LossChange:
    """Changes of the losses of some targets against those of a first pass.

    The change is made from that of the logits, `log E_p[e^Δz] − Δz_y`, and this from that of the normed residual:
    a difference of two losses would have the rounding of both.
    """

    def __init__(self, readout: LossReadout, residual: torch.Tensor, target_id: torch.Tensor) -> None:
        self.readout, self.target = readout, target_id.to(residual.device)[:, None]
        self.normed = readout.norm(residual)
        self.p = readout.head(self.normed).softmax(-1)
        n_classes = len(readout.ids_of_class)
        self.members = torch.nn.functional.one_hot(readout.class_of_id, n_classes).to(self.p)
        self.own = readout.class_of_id[self.target]
        self.mass = self._own_sums(self.p)

    def _own_sums(self, values: torch.Tensor) -> torch.Tensor:
        """Add up values `[target, vocab]` over the class of each target `[target]`."""
        return (values @ self.members).gather(1, self.own)[:, 0]

    def measure(self, residual: torch.Tensor) -> torch.Tensor:
        """Change of the whole and the within loss `[part, target]` for another residual stream `[target, d_model]`."""
        change = torch.nn.functional.linear(self.readout.norm(residual) - self.normed, self.readout.head.weight)
        of_target = change.gather(1, self.target)[:, 0]
        weighted = change.expm1_().mul_(self.p) @ self.members
        own = weighted.gather(1, self.own)[:, 0] / self.mass
        return torch.stack([weighted.sum(1).log1p() - of_target, own.log1p() - of_target])
