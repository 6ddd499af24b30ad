"""From the final residual stream to the logits, and what ablating a neuron does there (docs/methods/influence.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from rare_neurons.families import Family, NormKind, family_of


@dataclass(frozen=True)
class Norm:
    """A layer norm (centring) or root-mean-square norm (not), without its weight; `none` scales by one."""

    kind: NormKind
    eps: float

    def centre(self, x: torch.Tensor) -> torch.Tensor:
        """Take off the mean over the last axis, where this norm does."""
        return x - x.mean(-1, keepdim=True) if self.kind == "layer_norm" else x

    def variance(self, squares: torch.Tensor, d_model: int) -> torch.Tensor:
        """`|c(r)|²/d + ε`, whose inverse root is the norm's scale."""
        return torch.ones_like(squares) if self.kind == "none" else squares / d_model + self.eps

    def scale_change(self, variance: torch.Tensor, *, change: torch.Tensor) -> torch.Tensor:
        """`s' − s` for a change of the variance, without cancellation."""
        if self.kind == "none":
            return torch.zeros_like(change)
        kept = (change / variance).add_(1.0).clamp_min_(1e-15)  # s'/s = kept^(−1/2)
        root = kept.sqrt()
        return torch.div(change, kept.add_(root)).mul_(-(variance.rsqrt() / variance))


@dataclass(frozen=True)
class Readout:
    """Logits = `s A c(r) + b`, with the final norm's weight and bias and the unembedding's bias folded in.

    `A` is `[vocab, d_model]`, `b` `[vocab]`, both float64, rows in the order given by `vocab_order`. `A` is shifted by
    a weighted mean of its rows, which moves all logits of a position alike and makes `U` small where `p` is large.
    """

    norm: Norm
    A: torch.Tensor
    b: torch.Tensor
    has_bias: bool


@dataclass(frozen=True)
class FinalBlock:
    """The final MLP's output directions `[neuron, d_model]` (float64) and, for post-norm blocks, its output norm."""

    W_out: torch.Tensor
    post_norm: Norm | None
    post_weight: torch.Tensor | None


@dataclass(frozen=True)
class Ablation:
    """Change of the logits by one ablated neuron: `f = ε z + κ q + η U`, each coefficient `[pos, neuron]` float64.

    `z = A c(r)`, `U = A c(w)`; `q = A c(m̂)` exists for post-norm blocks only. `direct_` coefficients freeze the
    final norm's scale.
    """

    epsilon: torch.Tensor
    eta: torch.Tensor
    kappa: torch.Tensor | None
    direct_eta: torch.Tensor
    direct_kappa: torch.Tensor | None


def read_out(model: PreTrainedModel, *, vocab_order: torch.Tensor, centre_weights: torch.Tensor) -> Readout:
    """Fold final norm and unembedding of a supported model into one map.

    Parameters
    ----------
    vocab_order : Tensor `[vocab]`
        Token id of each row.
    centre_weights : Tensor `[vocab]`
        Weights, summing to one, of the mean row that is taken off `A`.
    """
    config = model.config.to_dict()
    family = family_of(config)
    kind = family.norm_kind(config)
    head = model.get_output_embeddings()
    A = head.weight.detach()[vocab_order.to(head.weight.device)].double()
    b = torch.zeros(len(A), dtype=torch.float64, device=A.device)
    if getattr(head, "bias", None) is not None:
        b += head.bias.detach()[vocab_order.to(b.device)]
    eps = 0.0
    if kind != "none":
        norm = model.get_submodule(family.module(family.final_norm))
        eps = _epsilon(norm)
        if getattr(norm, "bias", None) is not None:
            b += A @ norm.bias.detach().double()
        if norm.weight is not None:
            A *= norm.weight.detach()
    A -= centre_weights.to(A) @ A
    return Readout(Norm(kind, eps), A, b, bool((b != 0).any()))


def final_block(model: PreTrainedModel) -> FinalBlock:
    """Read the final block's `W_out` and, where it has one, the norm over its output."""
    config = model.config.to_dict()
    family = family_of(config)
    weight = model.get_submodule(w_out_module(model, family)).weight.detach()
    W_out = (weight.T if family.layer["W_out"].transpose else weight).double()
    if family.post_norm is None:
        return FinalBlock(W_out, None, None)
    norm = model.get_submodule(final_block_module(model, family) + "." + family.post_norm)
    return FinalBlock(W_out, Norm("rms_norm", _epsilon(norm)), norm.weight.detach().double())


def final_block_module(model: PreTrainedModel, family: Family) -> str:
    """Path of the last block in memory."""
    return family.module(f"{family.blocks}.{model.config.num_hidden_layers - 1}")


def w_out_module(model: PreTrainedModel, family: Family) -> str:
    """Path of the module holding the last block's `W_out`."""
    return family.block_module(model.config.num_hidden_layers - 1, "W_out")


def measure_ablation(
    norm: Norm,
    block: FinalBlock,
    *,
    residual: torch.Tensor,
    delta: torch.Tensor,
    mlp_output: torch.Tensor | None,
) -> Ablation:
    """Closed-form coefficients of every neuron's ablation at some positions (docs/methods/influence.md).

    Parameters
    ----------
    residual : Tensor `[pos, d_model]`
        Input of the final norm, float64.
    delta : Tensor `[pos, neuron]`
        Mean activation minus activation, float64.
    mlp_output : Tensor `[pos, d_model]` or None
        Input of the post-norm, for blocks that have one.
    """
    return prepare_ablation(norm, block, residual=residual, mlp_output=mlp_output)(delta)


def prepare_ablation(
    norm: Norm,
    block: FinalBlock,
    *,
    residual: torch.Tensor,
    mlp_output: torch.Tensor | None,
    pairs: int | None = None,
) -> Callable[[torch.Tensor], Ablation]:
    """Do what is the same for all `delta`: the products of residuals and output directions. As `measure_ablation`.

    `pairs` of them, or all, are worked on at once, where there is no post-norm; no number follows from it.
    """
    if block.post_norm is None:
        return _pre_norm_ablation(norm, block.W_out, residual=residual, pairs=pairs)
    return _post_norm_ablation(norm, block, residual=residual, m=mlp_output)


def _pre_norm_ablation(
    norm: Norm, W_out: torch.Tensor, *, residual: torch.Tensor, pairs: int | None
) -> Callable[[torch.Tensor], Ablation]:
    d_model = residual.shape[-1]
    c, w = norm.centre(residual), norm.centre(W_out)
    variance = norm.variance((c * c).sum(-1, keepdim=True), d_model)
    scale, projection, squares = variance.rsqrt(), (c @ w.T).mul_(2 / d_model), (w * w).sum(-1) / d_model

    def ablation(delta: torch.Tensor) -> Ablation:
        epsilon, eta, direct_eta = (torch.empty_like(delta) for _ in range(3))
        step = max(1, len(delta) if pairs is None else pairs // delta.shape[-1])
        for start in range(0, len(delta), step):
            t = slice(start, start + step)
            change = torch.addcmul(projection[t], delta[t], squares).mul_(delta[t])
            epsilon[t] = norm.scale_change(variance[t], change=change)
            torch.add(scale[t], epsilon[t], out=eta[t]).mul_(delta[t])
            torch.mul(scale[t], delta[t], out=direct_eta[t])
        return Ablation(epsilon, eta, None, direct_eta, None)

    return ablation


def _post_norm_ablation(
    norm: Norm, block: FinalBlock, *, residual: torch.Tensor, m: torch.Tensor
) -> Callable[[torch.Tensor], Ablation]:
    """`r' = r − n(m) + n(m + δ w) = r + α m̂ + β ŵ`, where the hat multiplies by the post-norm's weight."""
    d_model, w = residual.shape[-1], block.W_out
    m_variance = block.post_norm.variance((m * m).sum(-1, keepdim=True), d_model)
    m_projection, squares = 2 * (m @ w.T), (w * w).sum(-1)
    c, m_hat, w_hat = norm.centre(residual), norm.centre(m * block.post_weight), norm.centre(w * block.post_weight)
    variance = norm.variance((c * c).sum(-1, keepdim=True), d_model)
    scale, hat_squares = variance.rsqrt(), (w_hat * w_hat).sum(-1)
    c_m, c_w, m_w = (c * m_hat).sum(-1, keepdim=True), c @ w_hat.T, m_hat @ w_hat.T
    m_m = (m_hat * m_hat).sum(-1, keepdim=True)

    def ablation(delta: torch.Tensor) -> Ablation:
        m_change = delta * (m_projection + delta * squares) / d_model
        alpha = block.post_norm.scale_change(m_variance, change=m_change)
        beta = (m_variance.rsqrt() + alpha) * delta
        linear = alpha * c_m + beta * c_w
        quadratic = alpha**2 * m_m + 2 * alpha * beta * m_w + beta**2 * hat_squares
        epsilon = norm.scale_change(variance, change=(2 * linear + quadratic) / d_model)
        after = scale + epsilon
        return Ablation(epsilon, after * beta, after * alpha, scale * beta, scale * alpha)

    return ablation


def _epsilon(norm: torch.nn.Module) -> float:
    return float(norm.eps if hasattr(norm, "eps") else norm.variance_epsilon)
