"""The within-stratum effect alone, of several ablations that share their output directions (placebos).

Only the columns of the targets' own class matter to it; the products over the vocabulary are those of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from rare_neurons.models.influence.budget import Budget, select_exact
from rare_neurons.models.influence.certified import CHUNK_PAIRS
from rare_neurons.models.influence.enclosure import GroupMoments, Interval, enclose, log_interval
from rare_neurons.models.influence.exact import PAIR_ELEMENTS, Probabilities, log_mean_exp, target_changes
from rare_neurons.models.influence.moments import OWN, BlockMoments, MomentVisitor
from rare_neurons.models.influence.pairs import pair_rounding
from rare_neurons.models.influence.rounding import group_rounding, relative_errors, target_rounding
from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.readout import Ablation


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
    def h_y(self) -> torch.Tensor:
        """Centred z of the targets `[pos, 1]`."""
        return self.tokens.z.gather(-1, self.tokens.target[:, None]) - self.moments.centre


def measure_within(block: OwnColumns, ablations: Sequence[Ablation], budgets: Sequence[Budget]) -> list[torch.Tensor]:
    """Δ_within of every pair `[pos, neuron]` for each ablation, certified to its budget as `measure_certified` does."""
    group, moments = block.moments.groups[OWN], block.moments
    found = [_estimate(block, group, ablation) for ablation in ablations]
    allowed, wide = [], []
    for (estimate, bound), budget in zip(found, budgets, strict=True):
        budget.observe(estimate)
        allowed.append(budget.allowed())
        wide.append(torch.nonzero(bound.sum(0) > allowed[-1])[:, 0])
    union = torch.unique(torch.cat(wide)) if wide else torch.empty(0)
    if len(union):
        (hU,) = block.visitor.first_order(union, moments, (OWN,))
        for (estimate, bound), ablation, neurons in zip(found, ablations, wide, strict=True):
            if len(neurons):
                finer = replace(group, hU=hU[:, torch.searchsorted(union, neurons)])
                estimate[:, neurons], bound[:, neurons] = _estimate(block, finer, ablation, neurons)
    for (estimate, bound), ablation, budget, limit in zip(found, ablations, budgets, allowed, strict=True):
        exact = select_exact(bound, allowed=limit)
        if exact.any():
            estimate[exact], bound[exact] = _evaluate(exact, block, ablation)
        budget.spend(bound.sum(0))
    return [estimate for estimate, _ in found]


def _estimate(
    block: OwnColumns, group: GroupMoments, ablation: Ablation, neurons: torch.Tensor | slice = slice(None)
) -> tuple[torch.Tensor, torch.Tensor]:
    """Middle of the enclosure and its error bound `[pos, neuron]`, for some neurons; `group.hU` is of these."""
    directions, relative = block.visitor.directions, relative_errors(block.visitor)
    epsilon, eta, U_y = ablation.epsilon[:, neurons], ablation.eta[:, neurons], block.U_y[:, neurons]
    norms, h_y = directions.norms[neurons], block.h_y
    per_neuron = {name: getattr(group, name)[..., neurons] for name in ("U", "UU", "U_low", "U_high")}
    group = replace(group, **per_neuron)
    middle, bound = torch.empty_like(eta), torch.empty_like(eta)
    step = max(1, CHUNK_PAIRS // eta.shape[1])
    for start in range(0, len(eta), step):
        rows = slice(start, start + step)
        change = {"epsilon": epsilon[rows], "eta": eta[rows]}
        sums, sensitive = enclose(group.at(rows), **change)
        mass = block.moments.own_mass[rows]
        log_middle, half, slope = log_interval(Interval(sums.low / mass, sums.high / mass))
        errors = group_rounding(OWN, rows, block.moments, norms=norms, **change, gradient_error=relative.gradient)
        errors.add_(sensitive, alpha=relative.square).mul_(slope).div_(mass)
        errors += target_rounding(rows, block.moments, norms=norms, **change)
        bound[rows] = half.add_(errors.nan_to_num_(nan=torch.inf, posinf=torch.inf))
        middle[rows] = log_middle.sub_(change["epsilon"] * h_y[rows]).sub_(change["eta"] * U_y[rows])
    return middle, bound


def _evaluate(chosen: torch.Tensor, block: OwnColumns, ablation: Ablation) -> tuple[torch.Tensor, torch.Tensor]:
    """The pairs of a mask `[pos, neuron]` exactly in float32, and their rounding, in the mask's row-major order."""
    tokens, visitor, moments, own = block.tokens, block.visitor, block.moments, block.own
    at, neuron = torch.nonzero(chosen, as_tuple=True)
    epsilon, eta = ablation.epsilon[chosen], ablation.eta[chosen]
    shift, n_own = moments.shift.float(), own.stop - own.start
    factors = moments.factor[OWN] / moments.own_mass
    log_own = torch.empty_like(eta)
    for start in range(0, len(at), max(1, PAIR_ELEMENTS // n_own)):
        k = slice(start, start + max(1, PAIR_ELEMENTS // n_own))
        t = at[k]
        U = visitor.directions.U[neuron[k], own]
        x = visitor.h[t, own].sub_(shift[t]).mul_(epsilon[k, None].float()).addcmul_(U, eta[k, None].float())
        log_own[k] = _log_mean_exp(x, visitor.e[t, own], factors[t], lambda far, t=t: _log_p(tokens, t[far], own))
    h_y = block.h_y[at, 0]
    rounding = pair_rounding((at, neuron), visitor, moments, epsilon=epsilon, eta=eta)
    return log_own - epsilon * h_y - eta * block.U_y[chosen], rounding


def measure_within_exactly(
    tokens: TokenBlock, ablation: Ablation, *, U: torch.Tensor, U_y: torch.Tensor, own: slice
) -> torch.Tensor:
    """Δ_within of every pair `[pos, neuron]` in float64; `U` `[neuron, vocab]`, `U_y` as in `measure_exactly`."""
    log_own, U_own = torch.empty_like(ablation.eta), U[:, own]
    step = max(1, PAIR_ELEMENTS // U_own.shape[1])
    one = torch.ones(1, 1, dtype=U.dtype, device=U.device)
    for t in range(len(log_own)):
        log_p = _log_p(tokens, t, own)
        for start in range(0, log_own.shape[1], step):
            i = slice(start, start + step)
            x = torch.outer(ablation.epsilon[t, i], tokens.z[t, own]).addcmul_(ablation.eta[t, i, None], U_own[i])
            if tokens.q is not None:
                x.addcmul_(ablation.kappa[t, i, None], tokens.q[t, own])
            log_own[t, i] = _log_mean_exp(x, log_p.exp()[None], one, lambda _far, log_p=log_p: log_p)
    return log_own - target_changes(tokens, ablation, U_y)[0]


def _log_p(tokens: TokenBlock, rows: torch.Tensor | int, own: slice) -> torch.Tensor:
    """Log probabilities within the own class `[..., own columns]`."""
    log_p = tokens.log_p(rows)[..., own]
    return log_p - torch.logsumexp(log_p, -1, keepdim=True)


def _log_mean_exp(x: torch.Tensor, e: torch.Tensor, factors: torch.Tensor, log_p) -> torch.Tensor:
    """`log E_{p|own}[e^x]` per row of `x` `[pair, own columns]`; `e` times `factors` `[pair or 1, 1]` is p|own."""
    whole = slice(0, x.shape[1])
    p = Probabilities(e, whole, factors.expand(-1, 2), torch.ones_like(factors[:, 0]), log_p)
    return log_mean_exp(x, p)[0]
