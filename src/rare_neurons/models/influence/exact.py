"""Exact effect of (position, neuron) pairs without an unembedding per neuron (docs/methods/influence.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from rare_neurons.models.influence.scratch import CACHE, Chunks
from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.readout import Ablation

# relative to the largest logit change: dot products and sums of 1e3 to 1e5 roundings of 2^-53
FLOAT64_SUMS = 1e-11


@dataclass(frozen=True)
class PairEffects:
    """Change of the loss of each (position, neuron) pair, `[pos, neuron]` float64, nats.

    `total` Δ, `within` Δ_within, `direct` Δ with the final norm's scale frozen; `target_change` the change `f_y` of
    the target's logit; `truncation` and `rounding` bounds on the error of `total` and of `within`; `exact` where no
    expansion was used.
    """

    total: torch.Tensor
    within: torch.Tensor
    direct: torch.Tensor
    target_change: torch.Tensor
    truncation: torch.Tensor
    rounding: torch.Tensor
    exact: torch.Tensor


@dataclass(frozen=True)
class Probabilities:
    """The distribution that `log_mean_exp` takes expectations under, for each pair or one for all.

    `e` `[pair or 1, vocab]`: probabilities relative to `1/factors`; `factors` `[pair or 1, 2]`: what to multiply the
    sums over the columns `own` and over the rest by; `own_mass` `[pair or 1]`; `log_p` gives the float64 log
    probabilities of the rows of a mask `[pair]`.
    """

    e: torch.Tensor
    own: slice
    factors: torch.Tensor
    own_mass: torch.Tensor
    log_p: Callable[[torch.Tensor], torch.Tensor]


def log_mean_exp(x: torch.Tensor, p: Probabilities, *, coarse: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """`log E_p[e^x]` and `log E_{p|own}[e^x]` per row of `x` `[pair, vocab]`, without cancellation for small x.

    `log1p(E[expm1 x])`; where that overflows or comes near `log 0`, a log-sum-exp in float64 instead. `coarse` takes
    `e^x − 1` as it reads, in half the time, off by the rounding of e^x: for changes that are large beside it.
    """
    own, factors = p.own, p.factors
    terms = torch.exp(x).sub_(1.0) if coarse else torch.expm1(x)
    terms.mul_(p.e)
    own_sum = terms[:, own].sum(-1, dtype=torch.float64) * factors[:, 0]
    rest = terms[:, : own.start].sum(-1, dtype=torch.float64) + terms[:, own.stop :].sum(-1, dtype=torch.float64)
    mean, own_mean = own_sum + rest * factors[:, 1], own_sum / p.own_mass
    log_mean, log_own = torch.log1p(mean), torch.log1p(own_mean)
    far = ~(torch.isfinite(mean) & torch.isfinite(own_mean) & (mean > -0.9) & (own_mean > -0.9))
    if far.any():
        log_probability = p.log_p(far)
        shifted = x[far].double() + log_probability
        log_mean[far] = torch.logsumexp(shifted, -1)
        log_own[far] = torch.logsumexp(shifted[:, own], -1) - torch.logsumexp(log_probability[..., own], -1)
    return log_mean, log_own


def measure_exactly(
    tokens: TokenBlock,
    ablation: Ablation,
    *,
    U: torch.Tensor,
    U_y: torch.Tensor,
    own: slice,
    chunks: Chunks = CACHE,
) -> PairEffects:
    """Every pair of a block in float64.

    Parameters
    ----------
    U : Tensor `[neuron, vocab]`
        `A c(w)` (of the post-norm's `ŵ` where there is one), float64.
    U_y : Tensor `[pos, neuron]`
        The same at the target.
    own : slice
        Columns of the class that the targets of this block belong to.
    chunks : Chunks
        How many pairs are evaluated at once; no number follows from it.
    """
    log_mean, log_own, log_direct = (torch.empty_like(ablation.eta) for _ in range(3))
    step = max(1, chunks.elements // tokens.z.shape[1])
    ones = torch.ones(1, 2, dtype=torch.float64, device=U.device)
    own_mass = tokens.class_log_p[:, tokens.own_class].exp()
    for t in range(len(log_mean)):
        log_p = tokens.log_p(t)
        p = Probabilities(log_p.exp()[None], own, ones, own_mass[t : t + 1], lambda _far, log_p=log_p: log_p)
        for start in range(0, log_mean.shape[1], step):
            i = slice(start, start + step)
            x, direct = _logit_changes(tokens, ablation, U, t, i)
            log_mean[t, i], log_own[t, i] = log_mean_exp(x, p)
            log_direct[t, i], _ = log_mean_exp(direct, p)
    change, direct_change = target_changes(tokens, ablation, U_y)
    return PairEffects(
        log_mean - change,
        log_own - change,
        log_direct - direct_change,
        change,
        torch.zeros_like(change),
        _float64_rounding(tokens, ablation, U),
        torch.ones_like(change, dtype=torch.bool),
    )


def _logit_changes(
    tokens: TokenBlock, ablation: Ablation, U: torch.Tensor, t: int, i: slice
) -> tuple[torch.Tensor, torch.Tensor]:
    """`f` and its direct part at one position for some neurons, each `[neuron, vocab]`."""
    x = torch.outer(ablation.epsilon[t, i], tokens.z[t]).addcmul_(ablation.eta[t, i, None], U[i])
    direct = ablation.direct_eta[t, i, None] * U[i]
    if tokens.q is not None:
        x.addcmul_(ablation.kappa[t, i, None], tokens.q[t])
        direct.addcmul_(ablation.direct_kappa[t, i, None], tokens.q[t])
    return x, direct


def target_changes(tokens: TokenBlock, ablation: Ablation, U_y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Change of the target's logit `f_y` and its direct part, `[pos, neuron]`; `U_y` `[pos, neuron]`."""
    at = tokens.target[:, None]
    change = ablation.epsilon * tokens.z.gather(-1, at) + ablation.eta * U_y
    direct = ablation.direct_eta * U_y
    if tokens.q is not None:
        q_y = tokens.q.gather(-1, at)
        change, direct = change + ablation.kappa * q_y, direct + ablation.direct_kappa * q_y
    return change, direct


def _float64_rounding(tokens: TokenBlock, ablation: Ablation, U: torch.Tensor) -> torch.Tensor:
    size = ablation.epsilon.abs() * tokens.z.abs().amax(-1, keepdim=True) + ablation.eta.abs() * U.abs().amax(-1)
    if tokens.q is not None:
        size = size + ablation.kappa.abs() * tokens.q.abs().amax(-1, keepdim=True)
    return FLOAT64_SUMS * size
