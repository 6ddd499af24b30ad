"""Gradients of targets' losses with respect to the normed final residual stream, several losses in one product."""

from __future__ import annotations

import torch

from rare_neurons.models.layers.losses import LossReadout

CHUNK_ELEMENTS = 2**23  # logits at a time: the unembedding is read once for each chunk


def target_gradients(
    readout: LossReadout, normed: torch.Tensor, target_id: torch.Tensor, uniform: torch.Tensor | None = None
) -> torch.Tensor:
    """Gradients of each target's whole and within loss, and of the within loss of labels drawn from the model.

    Of -log p(y) it is `(p - e_y) W_U`; all of a target's losses meet the unembedding in one product, which for a few
    targets costs as much as for one.

    Parameters
    ----------
    normed : Tensor `[target, d_model]`
        Input of the unembedding.
    target_id : Tensor `[target]`
    uniform : Tensor `[target]`, optional
        In (0, 1]: which label is drawn, from p within the target's class; none without.

    Returns
    -------
    Tensor `[loss, target, d_model]`
        Whole, within, and with labels their within loss.
    """
    target_id, weight = target_id.to(normed.device), readout.head.weight.detach()
    step = max(1, CHUNK_ELEMENTS // len(weight))
    found = []
    with torch.no_grad():
        for start in range(0, len(normed), step):
            k = slice(start, start + step)
            both = _probabilities(readout, normed[k], target_id[k])
            labels = [target_id[k], target_id[k]]
            if uniform is not None:
                labels.append(invert(both[1], uniform[k].to(normed)))
            slopes = both if uniform is None else torch.cat([both, both[1:]])
            index = torch.stack(labels)[..., None]
            slopes.scatter_add_(-1, index, -torch.ones_like(index, dtype=slopes.dtype))
            found.append(slopes @ weight)
    return torch.cat(found, 1)


def _probabilities(readout: LossReadout, normed: torch.Tensor, target_id: torch.Tensor) -> torch.Tensor:
    """Distributions over the vocabulary, and within each target's class `[part, target, vocab]`."""
    logits = readout.head(normed)
    outside = readout.class_of_id[None] != readout.class_of_id[target_id][:, None]
    return torch.stack([logits.softmax(-1), logits.masked_fill(outside, -torch.inf).softmax(-1)])


def invert(p: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """First label at which the running sum of the weights `[target, vocab]` reaches its part `uniform`."""
    running = p.cumsum(-1)
    return torch.searchsorted(running, uniform[:, None] * running[:, -1:])[:, 0].clamp_max(p.shape[-1] - 1)
