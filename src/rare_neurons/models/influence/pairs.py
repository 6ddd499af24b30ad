"""Exact float32 evaluation of the few pairs that an enclosure leaves too wide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from rare_neurons.models.influence.directions import UNIT_ROUNDOFF
from rare_neurons.models.influence.exact import Probabilities, log_mean_exp
from rare_neurons.models.influence.moments import OWN, BlockMoments, MomentVisitor
from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.readout import Ablation

COARSE_FROM = 0.25  # E|x| from which e^x − 1 in float32 at most doubles a pair's bound
# Of e^x and of what is left of it without one, relative to E e^x, which the logarithm's slope divides by.
_COARSE_32 = 4 * UNIT_ROUNDOFF[torch.float32]
# Roundings of one float32 pair, relative to |x|: both coefficients, h, U, two products, a sum; p, expm1 (2), product.
PAIR_32 = 16 * UNIT_ROUNDOFF[torch.float32]


@dataclass(frozen=True)
class ExactPairs:
    """Effects of single pairs `[pair]`, float64: as in `PairEffects`; `at`: which they are, in their order here."""

    at: tuple[torch.Tensor, torch.Tensor]
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
    chosen, coarse, rounding = by_size(chosen, ablation, visitor, moments)
    at, neuron = chosen
    log_mean, log_own, log_direct = (torch.empty(len(at), dtype=torch.float64, device=at.device) for _ in range(3))
    epsilon, eta, direct_eta = ablation.epsilon[chosen], ablation.eta[chosen], ablation.direct_eta[chosen]
    shift = moments.shift.float()
    factors = (visitor.reference - tokens.log_norm[:, None]).exp()
    step = max(1, visitor.chunks.elements // visitor.h.shape[1])
    for k, as_it_reads in cut_by_size(len(at), coarse, step):
        t = at[k]
        U = visitor.directions.U.index_select(0, neuron[k])
        x = visitor.h.index_select(0, t).sub_(shift[t]).mul_(epsilon[k, None].float()).addcmul_(U, eta[k, None].float())
        e = visitor.e.index_select(0, t)
        p = Probabilities(e, own, factors[t], moments.own_mass[t, 0], lambda far, t=t: tokens.log_p(t[far]))
        log_mean[k], log_own[k] = log_mean_exp(x, p, coarse=as_it_reads)
        log_direct[k], _ = log_mean_exp(U.mul_(direct_eta[k, None].float()), p)
    h_y = (tokens.z.gather(-1, tokens.target[:, None]) - moments.centre)[at, 0]
    U_target = U_y[chosen]
    change = epsilon * h_y + eta * U_target
    return ExactPairs(chosen, log_mean - change, log_own - change, log_direct - direct_eta * U_target, rounding)


Pairs = tuple[torch.Tensor, torch.Tensor]
"""Positions and neurons, each `[pair]`."""


def by_size(
    chosen: Pairs, ablation: Ablation, visitor: MomentVisitor, moments: BlockMoments
) -> tuple[Pairs, int, torch.Tensor]:
    """Return the pairs with the smaller changes first, the number of these, and every pair's rounding.

    A device that is asked for a block at once is not asked for two halves of it: all are small there.
    """
    change = {"epsilon": ablation.epsilon[chosen], "eta": ablation.eta[chosen]}
    rounding, size = pair_rounding(chosen, visitor, moments, **change)
    if visitor.chunks.parallel:
        return chosen, len(size), rounding
    large = size >= COARSE_FROM
    order = torch.argsort(large.byte(), stable=True)
    rounding = (rounding + _COARSE_32 * large)[order]
    return (chosen[0][order], chosen[1][order]), int((~large).sum()), rounding


def cut_by_size(n: int, n_small: int, step: int) -> Iterator[tuple[slice, bool]]:
    """Slices of at most `step` of `n` pairs, and whether theirs are the large changes; `n_small` come first."""
    for first, last, large in ((0, n_small, False), (n_small, n, True)):
        for start in range(first, last, step):
            yield slice(start, min(start + step, last)), large


def pair_rounding(
    pairs: Pairs, visitor: MomentVisitor, moments: BlockMoments, *, epsilon: torch.Tensor, eta: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Bound on a pair's float32 error, `c E|x| e^{2 sup|x|}` for small x, `c (sup|x| + 11)` always; and E|x|.

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
    dots = moments.dot_unit * moments.largest_row * size
    return pair + dots + moments.sum_unit[at, 0] * (sup + 1), torch.maximum(mean, own_mean)
