"""The within-stratum effect alone, of several ablations that share their output directions (placebos).

Only the columns of the targets' own class matter to it; the products over the vocabulary are those of the network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from rare_neurons.models.influence.budget import Budget, select_exact
from rare_neurons.models.influence.enclosure import enclose, log_interval
from rare_neurons.models.influence.exact import Probabilities, log_mean_exp, target_changes
from rare_neurons.models.influence.moments import OWN, REST, BlockMoments, MomentVisitor
from rare_neurons.models.influence.pairs import by_size, cut_by_size
from rare_neurons.models.influence.rounding import enclosure_rounding, group_rounding, relative_errors, target_rounding
from rare_neurons.models.influence.scratch import CACHE, Chunks
from rare_neurons.models.influence.second_order import SecondOrder
from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.readout import Ablation

ALL = slice(None)
LogP = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class OwnColumns:
    """What is known of a block of targets and its output directions, whatever activates these.

    `own`: columns of the targets' class; `U_y` `[pos, neuron]`: U at the targets.
    """

    tokens: TokenBlock
    visitor: MomentVisitor
    moments: BlockMoments
    U_y: torch.Tensor
    own: slice

    @property
    def pairs(self) -> int:
        """Pairs worked on at once."""
        return self.visitor.chunks.pairs

    @property
    def h_y(self) -> torch.Tensor:
        """Centred z of the targets `[pos, 1]`."""
        return self.tokens.z.gather(-1, self.tokens.target[:, None]) - self.moments.centre


def measure_within(block: OwnColumns, ablations: Sequence[Ablation], budgets: Sequence[Budget]) -> list[torch.Tensor]:
    """Δ_within of every pair `[pos, neuron]` for each ablation, certified to its budget as `measure_certified` does.

    Second order is tried first, and only neurons whose budget its bounds exceed are enclosed; all of a stratum's later
    blocks at once where these were most. Terms linear in U go to first order in ε always: the product they need is over
    the own columns alone, and one for all ablations.
    """
    if not ablations:
        return []
    moments = _within_moments(block)
    small = SecondOrder.of(
        moments,
        norms=block.visitor.directions.norms,
        U_y=block.U_y,
        h_y=block.h_y,
        relative=relative_errors(block.visitor),
    )
    return [_measure(block, moments, small, *one) for one in zip(ablations, budgets, strict=True)]


def _measure(
    block: OwnColumns, moments: BlockMoments, small: SecondOrder, ablation: Ablation, budget: Budget
) -> torch.Tensor:
    """Δ_within of every pair for one ablation."""
    at_once = budget.mostly_wide
    estimate, bound = _estimate(block, moments, ablation) if at_once else small.estimate(ablation, block.pairs)
    budget.observe(estimate, bound)
    allowed = budget.allowed()
    if not at_once:
        wide = torch.nonzero(bound.sum(0) > allowed)[:, 0]
        budget.see_wide(len(wide))
        if len(wide):
            estimate[:, wide], bound[:, wide] = _estimate(block, moments, ablation, wide)
    exact = select_exact(bound, allowed=allowed, parallel=block.visitor.chunks.parallel)
    at = torch.nonzero(exact, as_tuple=True)
    if len(at[0]):
        at, within, rounding = _evaluate(at, block, ablation)
        estimate[at], bound[at] = within, rounding
    budget.spend(bound.sum(0))
    return estimate


def _within_moments(block: OwnColumns) -> BlockMoments:
    """Moments of the own columns under p|own, with Σ p h U, in float32: enclosures in it take half the time."""
    moments = block.moments
    (hU,) = block.visitor.first_order(slice(None), moments, (OWN,))
    own = replace(moments.groups[OWN], hU=hU)
    return moments.enclosed((own, moments.groups[REST]), torch.float32)


def _estimate(
    block: OwnColumns, moments: BlockMoments, ablation: Ablation, neurons: torch.Tensor | slice = ALL
) -> tuple[torch.Tensor, torch.Tensor]:
    """Middle of the enclosure and its error bound, each `[pos, neuron]`; `moments` from `_within_moments`."""
    relative, group = relative_errors(block.visitor), moments.groups[OWN].of(neurons)
    norms = block.visitor.directions.norms[neurons].float()
    epsilon, eta, U_y = (x[:, neurons].float() for x in (ablation.epsilon, ablation.eta, block.U_y))
    h_y = block.h_y.float()
    sup_U = torch.maximum(-group.U_low, group.U_high)
    sup_h = torch.maximum(torch.maximum(-group.h_low, group.h_high), h_y.abs())
    middle, bound = (torch.empty_like(eta, dtype=torch.float64) for _ in range(2))
    step = max(1, block.pairs // middle.shape[1])
    for start in range(0, len(middle), step):
        rows = slice(start, start + step)
        change = {"epsilon": epsilon[rows], "eta": eta[rows]}
        sizes = change["epsilon"].abs(), change["eta"].abs()
        sums, sensitive = enclose(group.at(rows), **change, sizes=sizes)
        log_middle, half, slope = log_interval(sums)
        errors = group_rounding(OWN, rows, moments, norms=norms, sizes=sizes, gradient_error=relative.gradient)
        errors.add_(sensitive, alpha=relative.square).mul_(slope)
        errors.add_(enclosure_rounding(sizes, sup_h=sup_h[rows], sup_U=sup_U))
        errors.add_(target_rounding(rows, moments, norms=norms, sizes=sizes))
        bound[rows] = half.add_(errors.nan_to_num_(nan=torch.inf, posinf=torch.inf))
        middle[rows] = log_middle.addcmul_(epsilon[rows], h_y[rows], value=-1).addcmul_(eta[rows], U_y[rows], value=-1)
    return middle, bound


def _evaluate(
    chosen: tuple[torch.Tensor, torch.Tensor], block: OwnColumns, ablation: Ablation
) -> tuple[tuple[torch.Tensor, torch.Tensor], torch.Tensor, torch.Tensor]:
    """Evaluate some pairs, positions and neurons each `[pair]`, in float32; the order taken, and the rounding."""
    tokens, visitor, moments, own = block.tokens, block.visitor, block.moments, block.own
    chosen, n_small, rounding = by_size(chosen, ablation, visitor, moments)
    at, neuron = chosen
    epsilon, eta = ablation.epsilon[chosen], ablation.eta[chosen]
    shift, n_own = moments.shift.float(), own.stop - own.start
    factors = moments.factor[OWN] / moments.own_mass
    U_own, h_own, e_own = (x[:, own] for x in (visitor.directions.U, visitor.h, visitor.e))
    log_own = torch.empty_like(eta)
    step = max(1, visitor.chunks.elements // n_own)
    for k, coarse in cut_by_size(len(at), n_small, step):
        t = at[k]
        U = U_own.index_select(0, neuron[k])
        x = h_own.index_select(0, t).sub_(shift[t]).mul_(epsilon[k, None].float()).addcmul_(U, eta[k, None].float())
        p = _probabilities(e_own.index_select(0, t), factors[t], lambda far, t=t: _log_p(tokens, t[far], own))
        log_own[k], _ = log_mean_exp(x, p, coarse=coarse)
    h_y = block.h_y[at, 0]
    return chosen, log_own - epsilon * h_y - eta * block.U_y[chosen], rounding


def measure_within_exactly(
    tokens: TokenBlock,
    ablation: Ablation,
    *,
    U: torch.Tensor,
    U_y: torch.Tensor,
    own: slice,
    chunks: Chunks = CACHE,
) -> torch.Tensor:
    """Δ_within of every pair `[pos, neuron]` in float64; `U` `[neuron, vocab]`, `U_y` as in `measure_exactly`."""
    log_own, U_own = torch.empty_like(ablation.eta), U[:, own]
    step = max(1, chunks.elements // U_own.shape[1])
    one = torch.ones(1, 1, dtype=U.dtype, device=U.device)
    for t in range(len(log_own)):
        log_p = _log_p(tokens, t, own)
        for start in range(0, log_own.shape[1], step):
            i = slice(start, start + step)
            x = torch.outer(ablation.epsilon[t, i], tokens.z[t, own]).addcmul_(ablation.eta[t, i, None], U_own[i])
            if tokens.q is not None:
                x.addcmul_(ablation.kappa[t, i, None], tokens.q[t, own])
            p = _probabilities(log_p.exp()[None], one, lambda _far, log_p=log_p: log_p)
            log_own[t, i], _ = log_mean_exp(x, p)
    return log_own - target_changes(tokens, ablation, U_y)[0]


def _log_p(tokens: TokenBlock, rows: torch.Tensor | int, own: slice) -> torch.Tensor:
    """Log probabilities within the own class `[..., own columns]`."""
    log_p = tokens.log_p(rows)[..., own]
    return log_p - torch.logsumexp(log_p, -1, keepdim=True)


def _probabilities(e: torch.Tensor, factors: torch.Tensor, log_p: LogP) -> Probabilities:
    """p|own of the own columns: `e` `[pair or 1, own columns]` times `factors` `[pair or 1, 1]`."""
    return Probabilities(e, slice(0, e.shape[1]), factors.expand(-1, 2), torch.ones_like(factors[:, 0]), log_p)
