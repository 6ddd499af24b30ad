"""Bounds on the rounding of an enclosure's terms (docs/methods/influence.md)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rare_neurons.models.influence.directions import UNIT_ROUNDOFF
from rare_neurons.models.influence.enclosure import Sizes
from rare_neurons.models.influence.moments import GRADIENT_SUM_32, BlockMoments, MomentVisitor

# Roundings of one float32 enclosure, each relative to a term of at most sup|x| e^(sup|x|): six moments of h, U, hU, UU,
# both coefficients, four exponentials, the own class's share, two logarithms, the target's change: fewer than 64.
ENCLOSURE_32 = 64 * UNIT_ROUNDOFF[torch.float32]


@dataclass(frozen=True)
class RelativeErrors:
    """Relative errors of the two large products of a pass: Σ p U² and Σ p A."""

    square: float
    gradient: float


def relative_errors(visitor: MomentVisitor) -> RelativeErrors:
    """Errors of the products that a pass has taken."""
    return RelativeErrors(_relative_square_error(visitor), _gradient_error(visitor))


def _relative_square_error(visitor: MomentVisitor) -> float:
    """Relative error of Σ p U²: both factors and each block's sum rounded to the product's dtype, float32 inside.

    Blocks that were rounded to bfloat16 are added up in float32.
    """
    unit, single = UNIT_ROUNDOFF[visitor.directions.squares.dtype], UNIT_ROUNDOFF[torch.float32]
    sums = 0 if visitor.squares.dtype == torch.float64 else len(visitor.visited)
    relative = (1 + unit) ** 3 * (1 + visitor.block_sum) * (1 + single) ** sums - 1
    return relative / (1 - relative)


def _gradient_error(visitor: MomentVisitor) -> float:
    """Relative error of Σ p A beyond that of float64 sums."""
    return 0.0 if visitor.gradient_dtype == torch.float64 else GRADIENT_SUM_32


def group_rounding(
    group: int,
    rows: slice,
    moments: BlockMoments,
    *,
    norms: torch.Tensor,
    sizes: Sizes,
    gradient_error: float,
) -> torch.Tensor:
    """Bound on the rounding of a group's terms whose sums are float32, plus that of all float64 sums.

    Orders 2 and up of e^{εh}: `½ (ε √(Σ p h²))² e^{|ε| sup|h|}`. Σ p h U: `√(Σ p h²) √(Σ p |A|²) |w|` (Cauchy–Schwarz).
    Σ p U: `√(Σ p) √(Σ p |A|²) |w|`.
    """
    epsilon_size, eta_size = sizes
    spread = epsilon_size * moments.root_mean_square[group, rows]
    size = eta_size * (norms * moments.row_norm[group, rows])
    powers = (epsilon_size * moments.reach[rows]).exp_().mul_(spread.square()).mul_(0.5)
    root_mass = moments.groups[group].h[rows, :1].sqrt()
    floats = (spread + size) * root_mass  # Σ p |x| <= √(Σ p) √(Σ p x²)
    total = powers.mul_(moments.block_sum).add_(spread * size, alpha=2 * moments.block_sum)
    return total.addcmul_(floats, moments.sum_unit[rows]).addcmul_(size, gradient_error * root_mass)


def target_rounding(rows: slice, moments: BlockMoments, *, norms: torch.Tensor, sizes: Sizes) -> torch.Tensor:
    """Bound on the float64 rounding of the target's own change `ε h_y + η U_y`."""
    reach = sizes[1] * norms + 4 * sizes[0] * moments.residual_norm[rows]
    return reach.mul_(moments.dot_unit * moments.largest_row)


def enclosure_rounding(sizes: Sizes, *, sup_h: torch.Tensor, sup_U: torch.Tensor) -> torch.Tensor | None:
    """Bound on the rounding of an enclosure's own arithmetic, `sup_h` `[pos, 1]` >= |h|, `sup_U` `[neuron]` >= |U|.

    None in float64, where that of the sums covers it.
    """
    if sizes[0].dtype == torch.float64:
        return None
    size = (sizes[0] * sup_h).addcmul_(sizes[1], sup_U)
    return torch.exp(size).mul_(size).mul_(ENCLOSURE_32)
