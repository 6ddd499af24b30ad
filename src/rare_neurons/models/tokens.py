"""What the engines know about a block of target positions: logits, probabilities, class sums, behaviour."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rare_neurons.models.panel_arrays import SortedVocabulary
from rare_neurons.models.readout import Readout


@dataclass(frozen=True)
class TokenBlock:
    """A block of positions, vocabulary sorted by stratum; all float64.

    `z = A c(r)` and `log_p` `[pos, vocab]`, `q = A c(m̂)` for post-norm blocks; `target` column of the target token
    `[pos]`; per class: `class_log_p` (log mass), `class_z`, `class_q` (Σ p z, Σ p q) `[pos, class]` and `class_A`
    (Σ p A) `[class, pos, d_model]`.
    """

    z: torch.Tensor
    q: torch.Tensor | None
    log_p: torch.Tensor
    target: torch.Tensor
    class_log_p: torch.Tensor
    class_z: torch.Tensor
    class_q: torch.Tensor | None
    class_A: torch.Tensor
    scale: torch.Tensor
    loss: torch.Tensor
    entropy: torch.Tensor


def read_tokens(
    readout: Readout,
    vocabulary: SortedVocabulary,
    residual: torch.Tensor,
    target: torch.Tensor,
    post_direction: torch.Tensor | None = None,
) -> TokenBlock:
    """Logits and class sums at positions `[pos]` from their final residual `[pos, d_model]` (float64).

    `post_direction` is `m̂` `[pos, d_model]` for post-norm blocks.
    """
    A = readout.A
    c = readout.norm.centre(residual)
    scale = readout.norm.variance((c * c).sum(-1, keepdim=True), c.shape[-1]).rsqrt()
    z = c @ A.T
    q = None if post_direction is None else readout.norm.centre(post_direction) @ A.T
    log_p = torch.log_softmax(scale * z + readout.b, dim=-1)
    p = log_p.exp()
    slices = vocabulary.slices

    def per_class(values: torch.Tensor) -> torch.Tensor:
        return torch.stack([values[:, columns].sum(-1) for columns in slices], dim=-1)

    return TokenBlock(
        z=z,
        q=q,
        log_p=log_p,
        target=target,
        class_log_p=torch.stack([torch.logsumexp(log_p[:, columns], -1) for columns in slices], dim=-1),
        class_z=per_class(p * z),
        class_q=None if q is None else per_class(p * q),
        class_A=torch.stack([p[:, columns] @ A[columns] for columns in slices]),
        scale=scale,
        loss=-log_p.gather(-1, target[:, None])[:, 0],
        entropy=-torch.xlogy(p, p).sum(-1),
    )


def residual_gradient(readout: Readout, tokens: TokenBlock, residual: torch.Tensor) -> torch.Tensor:
    """Gradient of each target's loss with respect to the final residual `[pos, d_model]`."""
    g = tokens.class_A.sum(0) - readout.A[tokens.target]
    c = readout.norm.centre(residual)
    if readout.norm.kind != "none":
        g = g - c * (c * g).sum(-1, keepdim=True) * tokens.scale**2 / c.shape[-1]
    return tokens.scale * readout.norm.centre(g)
