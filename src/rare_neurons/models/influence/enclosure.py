"""Enclosure of `Σ p (e^x − 1)`, `x = ε h + η U`, from moments of h and U (docs/methods/influence.md).

For `φ_k(x) = (e^x − Σ_{j<k} x^j/j!)/x^k = ∫ (1−t)^{k−1} e^{tx} dt / (k−1)!` over [0, 1], increasing in x, Jensen's
inequality and the chord of `e^{tx}` give `e^{x/(k+1)}/k! <= φ_k(x) <= (k + e^x)/((k+1) k!)` for every x.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

Z_ORDER = 6  # moments of h used for e^{εh}: Lagrange remainder of order 6, bounded by φ_6


@dataclass(frozen=True)
class GroupMoments:
    """Sums under p over one group of columns.

    `h` `[pos, Z_ORDER + 1]`: Σ p h^j; `h_square` `[pos, 1]`: not below Σ p h²; `h_low`, `h_high` `[pos, 1]`: range of
    h; `U`, `hU`, `UU` `[pos, neuron]`: Σ p U, Σ p h U (None: order 0 in ε), Σ p U²; `U_low`, `U_high` `[neuron]`:
    range of U over the group.
    """

    h: torch.Tensor
    h_square: torch.Tensor
    h_low: torch.Tensor
    h_high: torch.Tensor
    U: torch.Tensor
    hU: torch.Tensor | None
    UU: torch.Tensor
    U_low: torch.Tensor
    U_high: torch.Tensor

    def at(self, rows: slice) -> GroupMoments:
        """Return the same of some positions."""
        per_position = ("h", "h_square", "h_low", "h_high", "U", "UU")
        hU = None if self.hU is None else self.hU[rows]
        return replace(self, hU=hU, **{name: getattr(self, name)[rows] for name in per_position})

    def of(self, neurons: torch.Tensor | slice) -> GroupMoments:
        """Return the same of some neurons."""
        per_neuron = ("U", "hU", "UU", "U_low", "U_high")
        kept = {name: getattr(self, name) for name in per_neuron}
        return replace(
            self, **{name: None if values is None else values[..., neurons] for name, values in kept.items()}
        )

    def rounded(self, dtype: torch.dtype, *, mass: torch.Tensor | None = None) -> GroupMoments:
        """Return the same in `dtype`, sums divided by the group's `mass` `[pos, 1]` before where one is given."""
        sums = {name: getattr(self, name) for name in ("h", "h_square", "U", "hU", "UU")}
        if mass is not None:
            sums = {name: None if values is None else values / mass for name, values in sums.items()}
        ranges = {name: getattr(self, name) for name in ("h_low", "h_high", "U_low", "U_high")}
        return GroupMoments(
            **{name: None if values is None else values.to(dtype) for name, values in {**sums, **ranges}.items()}
        )


@dataclass(frozen=True)
class Interval:
    """An enclosure `[low, high]`, each `[pos, neuron]` (of U: `[neuron]`)."""

    low: torch.Tensor
    high: torch.Tensor


Sizes = tuple[torch.Tensor, torch.Tensor]
"""|ε| and |η| `[pos, neuron]`: half a dozen terms need them, and each pass over a chunk counts."""


def enclose(
    m: GroupMoments, *, epsilon: torch.Tensor, eta: torch.Tensor, sizes: Sizes
) -> tuple[Interval, torch.Tensor]:
    """Enclose `Σ_group p (e^{εh + ηU} − 1)`; also returns the part of it that follows Σ p U² (or its root).

    `e^x − 1 = (e^{εh} − 1) + ηU e^{εh} + (ηU)² φ_2(ηU) e^{εh}`: the first from moments of h, the second to order k = 0
    or 1 in ε with a Cauchy–Schwarz remainder `|η| |ε|^(k+1) e^{max(0, sup εh)} √(Σ p h^(2k+2) · Σ p U²)/(k+1)!`, the
    third by the range of φ_2.
    """
    low_x, high_x = _ordered(epsilon * m.h_low, epsilon * m.h_high)
    growth, square = torch.exp(high_x), epsilon.square()
    first, last = _exponential_of_h(m.h, epsilon, square, low_x, growth)
    if m.hU is None:
        linear = eta * m.U
        remainder = (m.h_square * m.UU).sqrt_().mul_(sizes[0])
    else:
        linear = torch.addcmul(m.U, epsilon, m.hU).mul_(eta)
        remainder = (0.25 * m.h[:, 4:5] * m.UU).sqrt_().mul_(square)
    remainder.mul_(sizes[1]).mul_(growth.clamp_min(1.0))
    squares = torch.mul(eta, eta, out=square).mul_(m.UU).mul_(0.5)
    low_u, high_u = _ordered(eta * m.U_low, eta * m.U_high)
    quadratic_low = torch.add(low_x, low_u, alpha=1 / 3, out=low_x).exp_().mul_(squares)
    sensitive = high_u.exp_().add_(2).mul_(growth).mul_(squares).mul_(1 / 3).add_(remainder)
    low = first.add_(linear).sub_(remainder).add_(quadratic_low)
    high = last.add_(linear).add_(sensitive)
    return Interval(low, high), sensitive


def _ordered(one: torch.Tensor, other: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the smaller and the larger of two values; the second argument is overwritten."""
    return torch.minimum(one, other), torch.maximum(one, other, out=other)


def enclose_direct(*, U: torch.Tensor, UU: torch.Tensor, U_range: Interval, eta: torch.Tensor) -> Interval:
    """Enclose the same with ε = 0: `Σ p (e^{ηU} − 1)`."""
    low_u, high_u = _ordered(eta * U_range.low, eta * U_range.high)
    squares, linear = eta.square() * UU, eta * U
    low = low_u.div_(3).exp_().mul_(squares).mul_(0.5).add_(linear)
    return Interval(low, high_u.exp_().add_(2).mul_(squares).div_(6).add_(linear))


def log_interval(interval: Interval) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """`log1p` of an interval's middle, how far the ends' may be from it, and the steepest slope.

    `log1p` is concave: its lower end is the farther, by at most half the interval's width times the slope there. Where
    the interval leaves −1 or the numbers the distance is infinite, the middle any number. Overwrites the interval.
    """
    low, high = interval.low.clamp_min_(-1.0), interval.high
    half, middle = high - low, high.add_(low).mul_(0.5).log1p_()
    slope = low.add_(1.0).reciprocal_()
    half.mul_(0.5).mul_(slope).nan_to_num_(nan=torch.inf, posinf=torch.inf)
    return middle.nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0), half, slope


def _exponential_of_h(
    h: torch.Tensor, epsilon: torch.Tensor, square: torch.Tensor, low_x: torch.Tensor, growth: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the ends of `Σ p (e^{εh} − 1)`: Horner over the moments, order 6 by the bounds of φ_6; `square` = ε²."""
    value = (epsilon * (h[:, Z_ORDER - 1, None] / (Z_ORDER - 1))).add_(h[:, Z_ORDER - 2, None])
    for j in range(Z_ORDER - 2, 1, -1):  # Σ_j ε^j m_j / j!, each order divided by its own j
        torch.addcmul(h[:, j - 1, None], value, epsilon, value=1 / j, out=value)
    value.mul_(epsilon)
    last = square.pow(3).mul_(h[:, Z_ORDER, None] / 720)
    low = torch.addcmul(value, torch.mul(low_x, 1 / (Z_ORDER + 1)).exp_(), last)
    high = value.addcmul_(growth + Z_ORDER, last, value=1 / (Z_ORDER + 1))
    return low, high
