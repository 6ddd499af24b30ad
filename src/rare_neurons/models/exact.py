"""Exact effect of (position, neuron) pairs without an unembedding per neuron (METHODS §2.1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rare_neurons.models.readout import Ablation
from rare_neurons.models.tokens import TokenBlock

PAIR_ELEMENTS = 2**18  # pairs x vocabulary evaluated at once: 2 MB, so that the passes stay in cache


@dataclass(frozen=True)
class PairEffects:
    """Change of the loss of each (position, neuron) pair, `[pos, neuron]` float64, nats.

    `total` Δ, `within` Δ_within, `direct` Δ with the final norm's scale frozen; `target_change` the change `f_y` of
    the target's logit; `truncation` and `rounding` bounds on the error of `total`; `exact` where no expansion was used.
    """

    total: torch.Tensor
    within: torch.Tensor
    direct: torch.Tensor
    target_change: torch.Tensor
    truncation: torch.Tensor
    rounding: torch.Tensor
    exact: torch.Tensor


def log_mean_exp(x: torch.Tensor, p: torch.Tensor, log_p: torch.Tensor, own: slice, own_log_p: torch.Tensor):
    """`log E_p[e^x]` and `log E_{p|own}[e^x]` per row of `x` `[pair, vocab]`, small values without cancellation.

    `log1p(E[expm1 x])`, and a log-sum-exp in float64 where that overflows or comes near `log 0`.
    """
    terms = torch.expm1(x).mul_(p)
    own_sum = terms[:, own].sum(-1, dtype=torch.float64)
    rest = terms[:, : own.start].sum(-1, dtype=torch.float64) + terms[:, own.stop :].sum(-1, dtype=torch.float64)
    mean, own_mean = own_sum + rest, own_sum / own_log_p.exp()
    log_mean, log_own = torch.log1p(mean), torch.log1p(own_mean)
    far = ~torch.isfinite(mean) | ~torch.isfinite(own_mean) | (mean < -0.5) | (own_mean < -0.5)
    if far.any():
        shifted = x[far].double() + log_p.expand_as(x)[far]
        log_mean[far] = torch.logsumexp(shifted, -1)
        log_own[far] = torch.logsumexp(shifted[:, own], -1) - own_log_p.expand(len(x))[far]
    return log_mean, log_own


def measure_exactly(tokens: TokenBlock, ablation: Ablation, U: torch.Tensor, own: slice, own_class: int) -> PairEffects:
    """Every pair of a block in float64.

    Parameters
    ----------
    U : Tensor `[neuron, vocab]`
        `A c(w)` (of the post-norm's `ŵ` where there is one), float64.
    own, own_class
        Columns and index of the class that the targets of this block belong to.
    """
    n_pos, n_neurons = ablation.eta.shape
    log_mean, log_own, log_direct = (torch.empty_like(ablation.eta) for _ in range(3))
    step = max(1, PAIR_ELEMENTS // tokens.z.shape[1])
    for t in range(n_pos):
        z, log_p = tokens.z[t], tokens.log_p(t)
        p, own_log_p = log_p.exp(), tokens.class_log_p[t, own_class]
        for start in range(0, n_neurons, step):
            i = slice(start, start + step)
            x = torch.outer(ablation.epsilon[t, i], z).addcmul_(ablation.eta[t, i, None], U[i])
            direct = ablation.direct_eta[t, i, None] * U[i]
            if tokens.q is not None:
                x.addcmul_(ablation.kappa[t, i, None], tokens.q[t])
                direct.addcmul_(ablation.direct_kappa[t, i, None], tokens.q[t])
            log_mean[t, i], log_own[t, i] = log_mean_exp(x, p, log_p, own, own_log_p)
            log_direct[t, i], _ = log_mean_exp(direct, p, log_p, own, own_log_p)
    return _effects(tokens, ablation, U, log_mean, log_own, log_direct)


def _effects(tokens, ablation, U, log_mean, log_own, log_direct) -> PairEffects:
    change, direct_change = target_changes(tokens, ablation, U[:, tokens.target].T)
    zeros = torch.zeros_like(change)
    rounding = FLOAT64_PAIR * (
        ablation.epsilon.abs() * tokens.z.abs().amax(-1, keepdim=True) + ablation.eta.abs() * U.abs().amax(-1)
    )
    if tokens.q is not None:
        rounding = rounding + FLOAT64_PAIR * ablation.kappa.abs() * tokens.q.abs().amax(-1, keepdim=True)
    return PairEffects(
        log_mean - change,
        log_own - change,
        log_direct - direct_change,
        change,
        zeros,
        rounding,
        torch.ones_like(change, dtype=torch.bool),
    )


FLOAT64_PAIR = 1e-12  # relative to the largest logit change: dot products and sums of 1e3 to 1e4 roundings of 2^-53


def target_changes(tokens: TokenBlock, ablation: Ablation, U_y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Change of the target's logit `f_y` and its direct part, `[pos, neuron]`; `U_y` `[pos, neuron]`."""
    at = tokens.target[:, None]
    change = ablation.epsilon * tokens.z.gather(-1, at) + ablation.eta * U_y
    direct = ablation.direct_eta * U_y
    if tokens.q is not None:
        q_y = tokens.q.gather(-1, at)
        change, direct = change + ablation.kappa * q_y, direct + ablation.direct_kappa * q_y
    return change, direct
