"""Every neuron's effect at about the price of one forward pass, with a certified error (METHODS §2.1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rare_neurons.models.enclosure import enclose, enclose_direct
from rare_neurons.models.exact import PairEffects
from rare_neurons.models.moments import (
    BLOCK_SUM_32,
    OWN,
    REST,
    UNIT_ROUNDOFF,
    BlockMoments,
    Directions,
    GroupMoments,
    MomentVisitor,
)
from rare_neurons.models.pairs import evaluate_pairs
from rare_neurons.models.readout import Ablation
from rare_neurons.models.tokens import TokenBlock

SE_SAFETY = 0.8  # the standard error is only known at the end; early blocks may see a larger variance
CHUNK_PAIRS = 2**15  # pairs worked on at once, so that the two dozen passes over them stay in cache


class Budget:
    """How much error each neuron's mean may still take: `max(tolerance, tolerance_se · se)` per position.

    The standard error is that of independent observations, from the positions seen so far; the two-way one is never
    smaller. Error that a block leaves unused goes to later blocks.
    """

    def __init__(self, n_positions: int, n_neurons: int, tolerance: float, tolerance_se: float, device) -> None:
        self.n_positions, self.tolerance, self.tolerance_se = n_positions, tolerance, tolerance_se
        zeros = torch.zeros(n_neurons, dtype=torch.float64, device=device)
        self.n, self.total, self.squares, self.spent = 0, zeros, zeros.clone(), zeros.clone()

    def allow(self, estimate: torch.Tensor) -> torch.Tensor:
        """Error sum allowed to a block `[neuron]`, given its effects' estimates `[pos, neuron]` (NaN: unknown)."""
        known = torch.nan_to_num(estimate, nan=0.0)
        self.n += len(known)
        self.total, self.squares = self.total + known.sum(0), self.squares + known.square().sum(0)
        variance = (self.squares / self.n - (self.total / self.n).square()).clamp_min(0)
        se = SE_SAFETY * (variance / self.n_positions).sqrt()
        per_position = (self.tolerance_se * se).clamp_min(self.tolerance)
        return (per_position * self.n - self.spent).clamp_min(0)

    def spend(self, bounds: torch.Tensor) -> None:
        """Record the error sum a block has taken `[neuron]`."""
        self.spent = self.spent + bounds


@dataclass(frozen=True)
class _Estimates:
    total: torch.Tensor
    within: torch.Tensor
    direct: torch.Tensor
    change: torch.Tensor
    truncation: torch.Tensor
    rounding: torch.Tensor


def measure_certified(
    tokens: TokenBlock,
    ablation: Ablation,
    visitor: MomentVisitor,
    U_y: torch.Tensor,
    own: slice,
    own_class: int,
    budget: Budget,
) -> PairEffects:
    """Enclose every pair of a block, then evaluate exactly those whose error the budget cannot take, largest first.

    `truncation` and `rounding` cover `total` and `within`. The targets of the block share the class of columns `own`;
    `U_y` `[pos, neuron]` is U at them.
    """
    moments = visitor.finish(tokens, own_class)
    directions = visitor.directions
    estimates = _Estimates(*(torch.empty_like(ablation.eta) for _ in range(6)))
    step = max(1, CHUNK_PAIRS // ablation.eta.shape[1])
    for start in range(0, len(ablation.eta), step):
        rows = slice(start, start + step)
        _estimate(rows, tokens, ablation, moments, directions, U_y, estimates)
    exact = select_exact(estimates.truncation + estimates.rounding, budget.allow(estimates.total))
    if exact.any():
        pairs = evaluate_pairs(exact, tokens, ablation, visitor, moments, U_y, own)
        estimates.total[exact], estimates.within[exact], estimates.direct[exact] = (
            pairs.total,
            pairs.within,
            pairs.direct,
        )
        estimates.truncation[exact], estimates.rounding[exact] = 0.0, pairs.rounding
    budget.spend((estimates.truncation + estimates.rounding).sum(0))
    return PairEffects(
        estimates.total,
        estimates.within,
        estimates.direct,
        estimates.change,
        estimates.truncation,
        estimates.rounding,
        exact,
    )


def select_exact(bounds: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """Pairs `[pos, neuron]` to evaluate exactly so that each column's remaining bounds sum to at most `allowed`.

    The largest bounds go first: in ascending order, everything beyond the sum that is allowed.
    """
    exact = torch.zeros_like(bounds, dtype=torch.bool)
    over = torch.nonzero(bounds.sum(0) > allowed)[:, 0]
    if len(over):
        ordered, rank = bounds[:, over].sort(dim=0)
        beyond = ordered.cumsum(0) > allowed[over]
        exact[:, over] = torch.zeros_like(beyond).scatter_(0, rank, beyond)
    return exact


def _rows_of(group: GroupMoments, rows: slice) -> GroupMoments:
    return GroupMoments(
        group.h[rows],
        group.h_low[rows],
        group.h_high[rows],
        group.U[rows],
        group.hU[rows],
        group.UU[rows],
        group.U_low,
        group.U_high,
    )


def _estimate(rows: slice, tokens, ablation: Ablation, moments: BlockMoments, directions, U_y, out: _Estimates) -> None:
    """Fill some rows of the estimates: log-midpoints, half-widths and rounding bounds."""
    own, rest = (_rows_of(group, rows) for group in moments.groups)
    epsilon, eta = ablation.epsilon[rows], ablation.eta[rows]
    own_sum, own_sensitive = enclose(own, epsilon, eta)
    rest_sum, rest_sensitive = enclose(rest, epsilon, eta)
    h_y = tokens.z[rows].gather(-1, tokens.target[rows, None]) - moments.centre[rows]
    change = epsilon * h_y + eta * U_y[rows]
    mass = moments.own_mass[rows]
    middle, half, slope = _log_interval(own_sum.low + rest_sum.low, own_sum.high + rest_sum.high)
    own_middle, own_half, own_slope = _log_interval(own_sum.low / mass, own_sum.high / mass)
    relative = _relative_square_error(directions)
    own_rounding = _rounding(OWN, rows, moments, directions, epsilon, eta) + relative * own_sensitive
    rest_rounding = _rounding(REST, rows, moments, directions, epsilon, eta) + relative * rest_sensitive
    out.total[rows], out.within[rows] = middle - change, own_middle - change
    out.truncation[rows] = torch.maximum(half, own_half)
    both = torch.maximum((own_rounding + rest_rounding) * slope, own_rounding / mass * own_slope)
    both += _target_rounding(rows, moments, directions, epsilon, eta)
    out.rounding[rows] = both.nan_to_num_(nan=torch.inf, posinf=torch.inf)
    out.change[rows] = change + epsilon * moments.centre[rows]
    out.direct[rows] = _direct(own, rest, ablation.direct_eta[rows]) - ablation.direct_eta[rows] * U_y[rows]


def _log_interval(low: torch.Tensor, high: torch.Tensor):
    """Middle and half-width of `log1p` of an interval, and its steepest slope; NaN and infinity where it leaves −1."""
    log_low, log_high = torch.log1p(low), torch.log1p(high)
    half = (log_high - log_low).mul_(0.5)
    middle = (log_high + log_low).mul_(0.5)
    unknown = ~torch.isfinite(half)
    return middle.masked_fill_(unknown, torch.nan), half.masked_fill_(unknown, torch.inf), (1 + low).reciprocal_()


def _direct(own: GroupMoments, rest: GroupMoments, eta: torch.Tensor) -> torch.Tensor:
    low, high = torch.minimum(own.U_low, rest.U_low), torch.maximum(own.U_high, rest.U_high)
    total = enclose_direct(own.U + rest.U, own.UU + rest.UU, low, high, eta)
    return _log_interval(total.low, total.high)[0]


def _relative_square_error(directions: Directions) -> float:
    """Relative error of Σ p U²: both factors rounded to the product's dtype, float32 sums, U from float64."""
    unit = UNIT_ROUNDOFF[directions.squares.dtype]
    relative = (1 + unit) ** 2 * (1 + BLOCK_SUM_32) - 1
    return relative / (1 - relative)


def _rounding(group: int, rows: slice, moments: BlockMoments, directions: Directions, epsilon, eta) -> torch.Tensor:
    """Bound on the rounding of a group's terms whose sums are float32, plus that of all float64 sums.

    Orders 2 and up of e^{εh}: `½ (ε √(Σ p h²))² e^{|ε| sup|h|}`. Σ p h U: `√(Σ p h²) √(Σ p |A|²) |w|` (Cauchy–Schwarz).
    """
    spread = epsilon.abs() * moments.root_mean_square[group, rows]
    size = eta.abs() * (directions.norms * moments.row_norm[group, rows])
    powers = (epsilon.abs() * moments.reach[rows]).exp_().mul_(spread.square()).mul_(0.5)
    floats = (spread + size) * moments.groups[group].h[rows, :1].sqrt()  # Σ p |x| <= √(Σ p) √(Σ p x²)
    return (
        powers.mul_(BLOCK_SUM_32).add_(spread * size, alpha=2 * BLOCK_SUM_32).addcmul_(floats, moments.sum_unit[rows])
    )


def _target_rounding(rows: slice, moments: BlockMoments, directions: Directions, epsilon, eta) -> torch.Tensor:
    """Bound on the float64 rounding of the target's own change `ε h_y + η U_y`."""
    reach = eta.abs() * directions.norms + 4 * epsilon.abs() * moments.residual_norm[rows]
    return reach.mul_(moments.dot_unit * moments.largest_row)
