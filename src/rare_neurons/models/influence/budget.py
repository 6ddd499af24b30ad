"""How much error the enclosures may leave, and which pairs are evaluated exactly to keep within it."""

from __future__ import annotations

import torch

# The standard error is only known at the end, and early blocks may see a larger variance: 0.8 would do. With half of
# the tolerance used, the neurons' ranks also agree with the exact engine's to 0.9999.
SE_SAFETY = 0.5
# Share of neurons too wide to order 0 in ε from which the next block goes to first order at once: a second enclosure of
# half of them costs as much as the products it needs.
MOSTLY_WIDE = 0.5


class Budget:
    """How much error each neuron's mean may still take: `max(tolerance, tolerance_se · se)` per position.

    The standard error is that of independent observations, from the positions seen so far; the two-way one is never
    smaller. Error that a block leaves unused goes to later blocks.
    """

    def __init__(
        self, *, n_positions: int, n_neurons: int, tolerance: float, tolerance_se: float, device: torch.device
    ) -> None:
        self.n_positions, self.tolerance, self.tolerance_se = n_positions, tolerance, tolerance_se
        zeros = torch.zeros(n_neurons, dtype=torch.float64, device=device)
        self.n, self.total, self.squares, self.spent = 0, zeros, zeros.clone(), zeros.clone()
        self.mostly_wide = self.mostly_coarse = False

    def observe(self, estimate: torch.Tensor, bound: torch.Tensor) -> None:
        """Count a block's effects `[pos, neuron]` (NaN: unknown) towards the standard error.

        Only what is certain of them: the middle of a wide enclosure may be tens of times the effect, and one such pair
        would allow its neuron an error of several times the tolerance.
        """
        certain = estimate.abs().sub_(bound).clamp_min_(0).nan_to_num_(nan=0.0, posinf=0.0).copysign_(estimate)
        self.n += len(certain)
        self.total, self.squares = self.total + certain.sum(0), self.squares + certain.square_().sum(0)

    def allowed(self) -> torch.Tensor:
        """Error sum allowed to the block last observed `[neuron]`."""
        variance = (self.squares / self.n - (self.total / self.n).square()).clamp_min(0)
        se = SE_SAFETY * (variance / self.n_positions).sqrt()
        return ((self.tolerance_se * se).clamp_min(self.tolerance) * self.n - self.spent).clamp_min(0)

    def see_wide(self, n_wide: int) -> None:
        """Remember whether order 0 in ε was too wide for most neurons; blocks of a stratum are alike."""
        self.mostly_wide = n_wide > MOSTLY_WIDE * len(self.spent)

    def see_coarse(self, n_coarse: int) -> None:
        """Remember whether the rounding of enclosures in float32 was too much for most neurons."""
        self.mostly_coarse |= n_coarse > MOSTLY_WIDE * len(self.spent)

    def spend(self, bounds: torch.Tensor) -> None:
        """Record the error sum a block has taken `[neuron]`."""
        self.spent = self.spent + bounds


LARGEST = 16  # bounds of a column that are looked at first: sorting all of them takes ten times as long


def select_exact(bounds: torch.Tensor, *, allowed: torch.Tensor, parallel: bool = False) -> torch.Tensor:
    """Pairs `[pos, neuron]` to evaluate exactly so that each column's remaining bounds sum to at most `allowed`.

    The largest bounds go first: in ascending order, everything beyond the sum that is allowed. On a device that adds in
    `parallel` the running sums are a product, because its own take any order.
    """
    exact = torch.zeros_like(bounds, dtype=torch.bool)
    over = torch.nonzero(bounds.sum(0) > allowed)[:, 0]
    if len(over) and not parallel and len(bounds) > 2 * LARGEST:
        over = _select_among_largest(exact, bounds, over, allowed)
    if len(over):
        ordered, rank = bounds[:, over].sort(dim=0, stable=parallel)
        sums = _running_sums(ordered) if parallel else ordered.cumsum(0)
        beyond = sums > allowed[over]
        exact[:, over] = torch.zeros_like(beyond).scatter_(0, rank, beyond)
    return exact


def _select_among_largest(
    exact: torch.Tensor, bounds: torch.Tensor, over: torch.Tensor, allowed: torch.Tensor
) -> torch.Tensor:
    """Select where a column's `LARGEST` bounds are enough, and return the columns where they are not."""
    columns = bounds.index_select(1, over)
    largest, rank = columns.topk(LARGEST, dim=0)
    rest = columns.scatter_(0, rank, 0.0).sum(0)
    enough = rest <= allowed[over]
    beyond = (largest.flip(0).cumsum(0) + rest > allowed[over]).flip(0) & enough
    chosen = torch.zeros_like(columns, dtype=torch.bool).scatter_(0, rank, beyond)
    exact[:, over] = chosen
    return over[~enough]


def _running_sums(ordered: torch.Tensor) -> torch.Tensor:
    """Add up the first rows, in the same order in every run; infinity counts as 1e300."""
    return ordered.new_ones(len(ordered), len(ordered)).tril() @ ordered.clamp_max(1e300)
