"""Every neuron's effect at about the price of one forward pass, with a certified error (docs/methods/influence.md)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch

from rare_neurons.models.influence.budget import Budget, select_exact
from rare_neurons.models.influence.enclosure import Interval, enclose, enclose_direct, log_interval
from rare_neurons.models.influence.exact import PairEffects
from rare_neurons.models.influence.moments import OWN, REST, BlockMoments, MomentVisitor
from rare_neurons.models.influence.pairs import evaluate_pairs
from rare_neurons.models.influence.rounding import (
    RelativeErrors,
    enclosure_rounding,
    group_rounding,
    relative_errors,
    target_rounding,
)
from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.readout import Ablation


@dataclass(frozen=True)
class _Inputs:
    """What estimates are made from: the block's, or some neurons' of it; `moments` as enclosures take them."""

    ablation: Ablation
    moments: BlockMoments
    norms: torch.Tensor
    U_y: torch.Tensor
    h_y: torch.Tensor
    relative: RelativeErrors


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
    were most of a block's, for all neurons of the blocks that follow, and at once. The same holds for enclosures in
    float64, where rounding takes half of the budget that float32 ones exceed. `truncation` and `rounding` cover
    `total` and `within`. The targets of the block share the class of columns `own`; `U_y` `[pos, neuron]` is U at them.
    """
    known = _Block(ablation, visitor, moments, U_y, tokens.z.gather(-1, tokens.target[:, None]) - moments.centre)
    out, bounds, allowed = _enclose_all(known, budget)
    exact = select_exact(bounds, allowed=allowed, parallel=visitor.chunks.parallel)
    at = torch.nonzero(exact, as_tuple=True)
    if len(at[0]):
        pairs = evaluate_pairs(at, tokens, ablation, visitor, moments, U_y=U_y, own=own)
        at = pairs.at
        out.total[at], out.within[at], out.direct[at] = pairs.total, pairs.within, pairs.direct
        out.truncation[at], out.rounding[at], bounds[at] = 0.0, pairs.rounding, pairs.rounding
    budget.spend(bounds.sum(0))
    return PairEffects(out.total, out.within, out.direct, out.change, out.truncation, out.rounding, exact)


@dataclass(frozen=True)
class _Block:
    """A block of positions: its ablation, moments in float64, U and centred z at the targets."""

    ablation: Ablation
    visitor: MomentVisitor
    moments: BlockMoments
    U_y: torch.Tensor
    h_y: torch.Tensor

    def estimates(self, neurons: torch.Tensor | slice, dtype: torch.dtype, *, first_order: bool) -> _Estimates:
        """Enclose some neurons' pairs in `dtype`, with terms linear in U to first order in ε or to none."""
        return _estimate_all(self._inputs(neurons, dtype, first_order), self.visitor.chunks.pairs)

    def _inputs(self, neurons: torch.Tensor | slice, dtype: torch.dtype, first_order: bool) -> _Inputs:
        """Return what estimates of some neurons take, with Σ p h U where they are to go to first order in ε."""
        groups, old = self.moments.groups, self.ablation
        hUs = self.visitor.first_order(neurons, self.moments) if first_order else (None, None)
        groups = tuple(
            replace(group, hU=hU, **{name: getattr(group, name)[..., neurons] for name in _PER_NEURON})
            for group, hU in zip(groups, hUs, strict=True)
        )
        epsilon, eta, direct_eta, U_y = (
            x[:, neurons].to(dtype) for x in (old.epsilon, old.eta, old.direct_eta, self.U_y)
        )
        return _Inputs(
            Ablation(epsilon, eta, None, direct_eta, None),
            self.moments.enclosed(groups, dtype),
            self.visitor.directions.norms[neurons].to(dtype),
            U_y,
            self.h_y.to(dtype),
            relative_errors(self.visitor),
        )


def _enclose_all(known: _Block, budget: Budget) -> tuple[_Estimates, torch.Tensor, torch.Tensor]:
    """Estimates of all pairs and their error bounds `[pos, neuron]`, and what the budget allows `[neuron]`."""
    at_once, dtype = budget.mostly_wide, known.visitor.enclosure_dtype
    if budget.mostly_coarse:
        dtype = torch.float64
    out = known.estimates(slice(None), dtype, first_order=at_once)
    bounds = out.bounds()
    budget.observe(out.total, bounds)
    allowed = budget.allowed()
    again = bounds.sum(0) > allowed
    if not at_once:
        budget.see_wide(int(again.sum()))
    if dtype != torch.float64:
        coarse = again & (out.rounding.sum(0) > 0.5 * allowed)
        budget.see_coarse(int(coarse.sum()))
        again = coarse if at_once else again
    elif at_once:
        return out, bounds, allowed
    wide = torch.nonzero(again)[:, 0]
    if len(wide):
        refined = known.estimates(wide, torch.float64, first_order=True)
        for field in fields(_Estimates):
            getattr(out, field.name)[:, wide] = getattr(refined, field.name)
        bounds[:, wide] = refined.bounds()
    return out, bounds, allowed


_PER_NEURON = ("U", "UU", "U_low", "U_high")


def _estimate_all(inputs: _Inputs, chunk_pairs: int) -> _Estimates:
    eta = inputs.ablation.eta
    out = _Estimates(*(torch.empty_like(eta, dtype=torch.float64) for _ in fields(_Estimates)))
    step = max(1, chunk_pairs // eta.shape[1])
    for start in range(0, len(eta), step):
        _estimate(slice(start, start + step), inputs, out)
    return out


def _estimate(rows: slice, inputs: _Inputs, out: _Estimates) -> None:
    """Fill some rows of the estimates: log-midpoints, half-widths and rounding bounds."""
    moments, ablation = inputs.moments, inputs.ablation
    own, rest = (group.at(rows) for group in moments.groups)
    epsilon, eta, mass = ablation.epsilon[rows], ablation.eta[rows], moments.own_mass[rows]
    sizes = epsilon.abs(), eta.abs()
    own_sum, own_sensitive = enclose(own, epsilon=epsilon, eta=eta, sizes=sizes)
    rest_sum, rest_sensitive = enclose(rest, epsilon=epsilon, eta=eta, sizes=sizes)
    whole = Interval(rest_sum.low.addcmul_(own_sum.low, mass), rest_sum.high.addcmul_(own_sum.high, mass))
    change = (epsilon * inputs.h_y[rows]).addcmul_(eta, inputs.U_y[rows])
    middle, half, slope = log_interval(whole)
    own_middle, own_half, own_slope = log_interval(own_sum)
    own_error, rest_error = (
        group_rounding(g, rows, moments, norms=inputs.norms, sizes=sizes, gradient_error=inputs.relative.gradient).add_(
            sensitive, alpha=inputs.relative.square
        )
        for g, sensitive in ((OWN, own_sensitive), (REST, rest_sensitive))
    )
    both = torch.maximum(rest_error.addcmul_(own_error, mass).mul_(slope), own_error.mul_(own_slope))
    both += target_rounding(rows, moments, norms=inputs.norms, sizes=sizes)
    U_range = Interval(torch.minimum(own.U_low, rest.U_low), torch.maximum(own.U_high, rest.U_high))
    sup_U = torch.maximum(-U_range.low, U_range.high)
    arithmetic = enclosure_rounding(sizes, sup_h=moments.reach[rows], sup_U=sup_U)
    if arithmetic is not None:
        both += arithmetic
    out.rounding[rows] = both.nan_to_num_(nan=torch.inf, posinf=torch.inf)
    out.truncation[rows] = torch.maximum(half, own_half)
    out.total[rows], out.within[rows] = middle.sub_(change), own_middle.sub_(change)
    out.change[rows] = change.addcmul_(epsilon, moments.centre[rows])
    direct_eta = ablation.direct_eta[rows]
    U, UU = (torch.addcmul(getattr(rest, name), getattr(own, name), mass) for name in ("U", "UU"))
    direct = log_interval(enclose_direct(U=U, UU=UU, U_range=U_range, eta=direct_eta))[0]
    out.direct[rows] = direct.addcmul_(direct_eta, inputs.U_y[rows], value=-1)
