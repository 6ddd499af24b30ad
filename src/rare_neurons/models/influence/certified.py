"""Every neuron's effect at about the price of one forward pass, with a certified error (docs/methods/influence.md)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch

from rare_neurons.models.influence.budget import Budget, select_exact
from rare_neurons.models.influence.enclosure import GroupMoments, Interval, enclose, enclose_direct, log_interval
from rare_neurons.models.influence.exact import PairEffects
from rare_neurons.models.influence.moments import OWN, REST, BlockMoments, MomentVisitor
from rare_neurons.models.influence.pairs import evaluate_pairs
from rare_neurons.models.influence.rounding import RelativeErrors, group_rounding, relative_errors, target_rounding
from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.readout import Ablation


@dataclass(frozen=True)
class _Inputs:
    """What estimates are made from; neurons may be a subset of the block's."""

    ablation: Ablation
    groups: tuple[GroupMoments, GroupMoments]
    norms: torch.Tensor
    U_y: torch.Tensor
    h_y: torch.Tensor


@dataclass(frozen=True)
class _Estimates:
    total: torch.Tensor
    within: torch.Tensor
    direct: torch.Tensor
    change: torch.Tensor
    truncation: torch.Tensor
    rounding: torch.Tensor

    def bounds(self) -> torch.Tensor:
        return self.truncation + self.rounding


def measure_certified(
    tokens: TokenBlock,
    ablation: Ablation,
    visitor: MomentVisitor,
    moments: BlockMoments,
    *,
    U_y: torch.Tensor,
    own: slice,
    budget: Budget,
) -> PairEffects:
    """Enclose every pair of a block, then evaluate exactly those whose error the budget cannot take, largest first.

    Terms linear in U go to first order in ε only for neurons whose budget order 0 exceeds in this block; once these
    were most of a block's, for all neurons of the blocks that follow, and at once. `truncation` and `rounding` cover
    `total` and `within`. The targets of the block share the class of columns `own`; `U_y`
    `[pos, neuron]` is U at them.
    """
    h_y = tokens.z.gather(-1, tokens.target[:, None]) - moments.centre
    inputs = _Inputs(ablation, moments.groups, visitor.directions.norms, U_y, h_y)
    errors = relative_errors(visitor)
    chunk_pairs = visitor.chunks.pairs
    at_once = budget.mostly_wide
    if at_once:
        inputs = _refine(inputs, torch.arange(len(inputs.norms), device=inputs.norms.device), visitor, moments)
    out = _estimate_all(inputs, moments, errors, chunk_pairs)
    budget.observe(out.total, out.bounds())
    allowed = budget.allowed()
    wide = torch.nonzero(out.bounds().sum(0) > allowed)[:, 0]
    if len(wide) and not at_once:
        budget.see_wide(len(wide))
        refined = _estimate_all(_refine(inputs, wide, visitor, moments), moments, errors, chunk_pairs)
        for field in fields(_Estimates):
            getattr(out, field.name)[:, wide] = getattr(refined, field.name)
    exact = select_exact(out.bounds(), allowed=allowed, parallel=visitor.chunks.parallel)
    at = torch.nonzero(exact, as_tuple=True)
    if len(at[0]):
        pairs = evaluate_pairs(at, tokens, ablation, visitor, moments, U_y=U_y, own=own)
        out.total[at], out.within[at], out.direct[at] = pairs.total, pairs.within, pairs.direct
        out.truncation[at], out.rounding[at] = 0.0, pairs.rounding
    budget.spend(out.bounds().sum(0))
    return PairEffects(out.total, out.within, out.direct, out.change, out.truncation, out.rounding, exact)


def _refine(inputs: _Inputs, neurons: torch.Tensor, visitor: MomentVisitor, moments: BlockMoments) -> _Inputs:
    """Return the same for some neurons, with Σ p h U."""
    groups = []
    for group, hU in zip(inputs.groups, visitor.first_order(neurons, moments), strict=True):
        per_neuron = {name: getattr(group, name)[..., neurons] for name in ("U", "UU", "U_low", "U_high")}
        groups.append(replace(group, hU=hU, **per_neuron))
    old = inputs.ablation
    ablation = Ablation(old.epsilon[:, neurons], old.eta[:, neurons], None, old.direct_eta[:, neurons], None)
    return _Inputs(ablation, tuple(groups), inputs.norms[neurons], inputs.U_y[:, neurons], inputs.h_y)


def _estimate_all(inputs: _Inputs, moments: BlockMoments, errors: RelativeErrors, chunk_pairs: int) -> _Estimates:
    out = _Estimates(*(torch.empty_like(inputs.ablation.eta) for _ in fields(_Estimates)))
    n_pos, n_neurons = out.total.shape
    step = max(1, chunk_pairs // n_neurons)
    for start in range(0, n_pos, step):
        _estimate(slice(start, start + step), inputs, moments, errors, out)
    return out


def _estimate(rows: slice, inputs: _Inputs, moments: BlockMoments, relative: RelativeErrors, out: _Estimates) -> None:
    """Fill some rows of the estimates: log-midpoints, half-widths and rounding bounds."""
    own, rest = (group.at(rows) for group in inputs.groups)
    epsilon, eta, direct_eta = (
        x[rows] for x in (inputs.ablation.epsilon, inputs.ablation.eta, inputs.ablation.direct_eta)
    )
    U_y, mass = inputs.U_y[rows], moments.own_mass[rows]
    sizes = epsilon.abs(), eta.abs()
    own_sum, own_sensitive = enclose(own, epsilon=epsilon, eta=eta, sizes=sizes)
    rest_sum, rest_sensitive = enclose(rest, epsilon=epsilon, eta=eta, sizes=sizes)
    change = epsilon * inputs.h_y[rows] + eta * U_y
    middle, half, slope = log_interval(Interval(own_sum.low + rest_sum.low, own_sum.high + rest_sum.high))
    own_middle, own_half, own_slope = log_interval(Interval(own_sum.low / mass, own_sum.high / mass))
    errors = [
        group_rounding(g, rows, moments, norms=inputs.norms, sizes=sizes, gradient_error=relative.gradient).add_(
            sensitive, alpha=relative.square
        )
        for g, sensitive in ((OWN, own_sensitive), (REST, rest_sensitive))
    ]
    both = torch.maximum((errors[OWN] + errors[REST]) * slope, errors[OWN] / mass * own_slope)
    both += target_rounding(rows, moments, norms=inputs.norms, sizes=sizes)
    out.total[rows], out.within[rows] = middle - change, own_middle - change
    out.truncation[rows] = torch.maximum(half, own_half)
    out.rounding[rows] = both.nan_to_num_(nan=torch.inf, posinf=torch.inf)
    out.change[rows] = change + epsilon * moments.centre[rows]
    out.direct[rows] = _direct(own, rest, direct_eta) - direct_eta * U_y


def _direct(own: GroupMoments, rest: GroupMoments, eta: torch.Tensor) -> torch.Tensor:
    U_range = Interval(torch.minimum(own.U_low, rest.U_low), torch.maximum(own.U_high, rest.U_high))
    total = enclose_direct(U=own.U + rest.U, UU=own.UU + rest.UU, U_range=U_range, eta=eta)
    return log_interval(total)[0]
