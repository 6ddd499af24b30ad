"""Exact float32 evaluation of the few pairs that an enclosure leaves too wide."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rare_neurons.models.influence.directions import UNIT_ROUNDOFF
from rare_neurons.models.influence.exact import Probabilities, log_mean_exp
from rare_neurons.models.influence.moments import OWN, BlockMoments, MomentVisitor
from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.readout import Ablation

# Roundings of one float32 pair, relative to |x|: both coefficients, h, U, two products, a sum; p, expm1 (2), product.
PAIR_32 = 16 * UNIT_ROUNDOFF[torch.float32]


@dataclass(frozen=True)
class ExactPairs:
    """Effects of single pairs `[pair]`, float64: as in `PairEffects`."""

    total: torch.Tensor
    within: torch.Tensor
    direct: torch.Tensor
    rounding: torch.Tensor


def evaluate_pairs(
    chosen: tuple[torch.Tensor, torch.Tensor],
    tokens: TokenBlock,
    ablation: Ablation,
    visitor: MomentVisitor,
    moments: BlockMoments,
    *,
    U_y: torch.Tensor,
    own: slice,
) -> ExactPairs:
    """Evaluate some pairs: their positions and neurons, each `[pair]`."""
    at, neuron = chosen
    log_mean, log_own, log_direct = (torch.empty(len(at), dtype=torch.float64, device=at.device) for _ in range(3))
    epsilon, eta, direct_eta = ablation.epsilon[chosen], ablation.eta[chosen], ablation.direct_eta[chosen]
    shift = moments.shift.float()
    factors = (visitor.reference - tokens.log_norm[:, None]).exp()
    step = max(1, visitor.chunks.elements // visitor.h.shape[1])
    for start in range(0, len(at), step):
        k = slice(start, start + step)
        t = at[k]
        U = visitor.directions.U[neuron[k]]
        x = visitor.h[t].sub_(shift[t]).mul_(epsilon[k, None].float()).addcmul_(U, eta[k, None].float())
        p = Probabilities(visitor.e[t], own, factors[t], moments.own_mass[t, 0], lambda far, t=t: tokens.log_p(t[far]))
        log_mean[k], log_own[k] = log_mean_exp(x, p)
        log_direct[k], _ = log_mean_exp(U.mul_(direct_eta[k, None].float()), p)
    h_y = (tokens.z.gather(-1, tokens.target[:, None]) - moments.centre)[at, 0]
    U_target = U_y[chosen]
    change = epsilon * h_y + eta * U_target
    return ExactPairs(
        log_mean - change,
        log_own - change,
        log_direct - direct_eta * U_target,
        pair_rounding(chosen, visitor, moments, epsilon=epsilon, eta=eta),
    )


def pair_rounding(
    pairs: tuple[torch.Tensor, torch.Tensor],
    visitor: MomentVisitor,
    moments: BlockMoments,
    *,
    epsilon: torch.Tensor,
    eta: torch.Tensor,
) -> torch.Tensor:
    """Bound on a pair's float32 error: `c E|x| e^{2 sup|x|}` for small x, `c (sup|x| + 11)` always.

    The second holds because a relative change c of x moves a log-sum-exp by at most c sup|x|, and terms `p expm1(x)`
    off by c move it by at most `c (Σ p e^x + 1)/Σ p e^x <= 11c` above the switch to log-sum-exp at 0.1.
    """
    (at, neuron), directions = pairs, visitor.directions
    largest_U = torch.maximum(directions.low.abs().amax(0), directions.high.abs().amax(0))
    sup = epsilon.abs() * moments.reach[at, 0] + eta.abs() * largest_U[neuron]
    own, mass = moments.groups[OWN], moments.own_mass[at, 0]
    roots = moments.root_mean_square[:, at, 0]
    squares = sum(group.UU[at, neuron] for group in moments.groups)
    mean = epsilon.abs() * roots.square().sum(0).sqrt() + eta.abs() * squares.sqrt() * 1.01
    own_mean = (epsilon.abs() * roots[OWN] + eta.abs() * own.UU[at, neuron].sqrt() * 1.01) * mass.rsqrt()
    small = torch.maximum(mean, own_mean) * torch.exp(2 * sup)
    pair = PAIR_32 * torch.minimum(small.nan_to_num(nan=torch.inf, posinf=torch.inf), sup + 11)
    size = eta.abs() * directions.norms[neuron] + 4 * epsilon.abs() * moments.residual_norm[at, 0]
    return pair + moments.dot_unit * moments.largest_row * size + moments.sum_unit[at, 0] * (sup + 1)
