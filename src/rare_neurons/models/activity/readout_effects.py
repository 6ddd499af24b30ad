"""What final-layer neurons do to the readout as a whole: token frequency and entropy (docs/methods/kinds.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.polynomial import chebyshev
from transformers import PreTrainedModel

from rare_neurons.families import family_of
from rare_neurons.models.activity.set_effects import TargetBlock, TargetStream, blocks_of
from rare_neurons.models.influence.tokens import Unigram
from rare_neurons.models.readout import Ablation, measure_ablation

NODES = 24
"""Chebyshev nodes per target: log E_p[e^{xu}] is analytic in x, and so many leave 1e-10 of it over the range met."""


@dataclass(frozen=True, eq=False)
class ReadoutEffects:
    """Means over the targets of one stratum, nats.

    Attributes
    ----------
    frequency_influence : float array [neuron]
    frequency_frozen_influence, entropy_change, abs_entropy_change : float array [candidate]
        The last is the mean of the absolute changes: mean ablation moves the entropy both ways.
    """

    frequency_influence: np.ndarray
    frequency_frozen_influence: np.ndarray
    entropy_change: np.ndarray
    abs_entropy_change: np.ndarray


def unembedding_rows(model: PreTrainedModel) -> np.ndarray:
    """Rows of the unembedding with the final norm's weight folded in, float64 `[vocab, d_model]`."""
    config = model.config.to_dict()
    family = family_of(config)
    rows = model.get_output_embeddings().weight.detach().double()
    if family.norm_kind(config) != "none":
        norm = model.get_submodule(family.module(family.final_norm))
        rows = rows if norm.weight is None else rows * norm.weight.detach()
    return rows.cpu().numpy()


def frequency_direction(unigram: Unigram) -> torch.Tensor:
    """Take the log unigram as a unit direction of logits `[vocab]`: centred over the ids it has, zero on others.

    Ids that training never shows would carry a third of its length.
    """
    centred = (unigram.log_q - (unigram.log_q * unigram.seen).sum() / unigram.seen.sum()) * unigram.seen
    return centred / centred.norm()


def measure_readout(
    stream: TargetStream, delta: torch.Tensor, direction: torch.Tensor, *, candidates: Sequence[int] = ()
) -> ReadoutEffects:
    """Split what each neuron's ablation does to the logits into the frequency direction and the rest.

    Parameters
    ----------
    stream : TargetStream
    delta : Tensor `[target, neuron]`
        Mean activation minus activation.
    direction : Tensor `[vocab]`
        `frequency_direction`, in the order of the readout's columns.
    candidates : sequence of int
        Neurons of which everything is evaluated over the whole vocabulary.

    Returns
    -------
    ReadoutEffects

    Notes
    -----
    With `x = f·u` of the change f of the logits, `frequency_influence` is the mean of `log E_p[e^{xu}] − x u_y` and
    `frequency_frozen_influence` that of `log E_p[e^{f − xu}] − (f − xu)_y`. Their difference from the influence is no
    share of it: such shares fall to −8. The first costs `NODES` passes over the logits for all neurons together.
    """
    frequency = torch.zeros(delta.shape[1], dtype=torch.float64)
    frozen, entropy, abs_entropy = torch.zeros(3, len(candidates), dtype=torch.float64)
    n_targets = len(stream.target)
    W_hat = stream.block.W_out if stream.block.post_norm is None else stream.block.W_out * stream.block.post_weight
    W_hat = stream.readout.norm.centre(W_hat)
    # U, of all neurons and the whole vocabulary, would take more memory than the network.
    U_along = W_hat @ (direction @ stream.readout.A)
    for rows, block in blocks_of(stream, torch.float64):
        ablation = measure_ablation(
            stream.readout.norm,
            stream.block,
            residual=stream.residual[rows].double(),
            delta=delta[rows].double(),
            mlp_output=block.mlp_output,
        )
        q = None if block.mlp_output is None else _post_logits(stream, block)
        x = ablation.epsilon * (block.z @ direction)[:, None] + ablation.eta * U_along
        if q is not None:
            x = x + ablation.kappa * (q @ direction)[:, None]
        frequency += (_along(block, direction, x) - x * direction[block.target][:, None]).sum(0) / n_targets
        before = _entropy(block.log_p)
        for k, neuron in enumerate(candidates):
            f = _logit_change(block.z, stream.readout.A @ W_hat[neuron], q, ablation, neuron)
            rest = f - x[:, neuron, None] * direction
            changed = torch.log_softmax(block.log_p + rest, -1)
            at = block.target[:, None]
            frozen[k] += (block.log_p - changed).gather(-1, at).sum() / n_targets
            moved = _entropy(torch.log_softmax(block.log_p + f, -1)) - before
            entropy[k] += moved.sum() / n_targets
            abs_entropy[k] += moved.abs().sum() / n_targets
    return ReadoutEffects(frequency.numpy(), frozen.numpy(), entropy.numpy(), abs_entropy.numpy())


def _along(block: TargetBlock, direction: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """`log E_p[e^{xu}]` of every target and neuron, interpolated in x over the range that the target's neurons have."""
    low, high = x.amin(1, keepdim=True), x.amax(1, keepdim=True)
    centre, half = (low + high) / 2, ((high - low) / 2).clamp_min(1e-12)
    points = torch.from_numpy(chebyshev.chebpts1(NODES))
    values = torch.empty(len(x), NODES, dtype=torch.float64)
    for k, point in enumerate(points.tolist()):
        values[:, k] = torch.log1p((block.p * torch.expm1((centre + point * half) * direction)).sum(-1))
    to_coefficients = torch.from_numpy(np.linalg.inv(chebyshev.chebvander(points.numpy(), NODES - 1)))
    coefficients = values @ to_coefficients.T
    y = (x - centre) / half
    later, last = torch.zeros_like(x), torch.zeros_like(x)
    for k in range(NODES - 1, 0, -1):  # Clenshaw's recurrence
        later, last = coefficients[:, k : k + 1] + 2 * y * later - last, later
    return coefficients[:, :1] + y * later - last


def _logit_change(
    z: torch.Tensor, U: torch.Tensor, q: torch.Tensor | None, ablation: Ablation, neuron: int
) -> torch.Tensor:
    f = ablation.epsilon[:, neuron, None] * z + ablation.eta[:, neuron, None] * U
    return f if q is None else f + ablation.kappa[:, neuron, None] * q


def _post_logits(stream: TargetStream, block: TargetBlock) -> torch.Tensor:
    return stream.readout.norm.centre(block.mlp_output * stream.block.post_weight) @ stream.readout.A.T


def _entropy(log_p: torch.Tensor) -> torch.Tensor:
    return -(log_p.exp() * log_p).sum(-1)
