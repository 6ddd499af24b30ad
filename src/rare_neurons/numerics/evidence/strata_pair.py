"""Within-stratum influence of one run in two strata, with its placebo."""

from __future__ import annotations

from dataclasses import dataclass

from rare_neurons.numerics.grid.effective_number import RESOLVED
from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.leave_outs import LeaveOuts


@dataclass(frozen=True, slots=True)
class StrataPair:
    """One statistic of one run, within each of two strata.

    Attributes
    ----------
    rare, common : LeaveOuts
        Scalars.
    placebo_rare, placebo_common : LeaveOuts, shape (permutation,)
        The same statistic with the rows of the output weights permuted among neurons of like norm.
    """

    rare: LeaveOuts
    common: LeaveOuts
    placebo_rare: LeaveOuts
    placebo_common: LeaveOuts

    def n_permutations(self) -> int:
        """Count the placebo's permutations.

        Raises
        ------
        ValueError
            If there are fewer than two, or not as many in both strata.
        """
        n, other = len(self.placebo_rare.value), len(self.placebo_common.value)
        if n < 2 or other != n:
            raise ValueError(f"{n} and {other} placebo permutations; both strata need at least 2")
        return n


@dataclass(frozen=True, slots=True)
class RunInfluence:
    """Within-stratum influence of one run or control at the declared checkpoint.

    Attributes
    ----------
    square : StrataPair
        Noise-free mean squares over neurons.
    growth : StrataPair
        Their changes since the first checkpoint.
    mean : StrataPair
        Means over neurons of the signed influence, as changes since the first checkpoint.
    """

    square: StrataPair
    growth: StrataPair
    mean: StrataPair


def resolved(*squares: LeaveOuts) -> bool:
    """Whether mean squares exceed twice their error and stay positive whatever is left out."""
    beyond = all(float(q.value) > RESOLVED * float(standard_error(q)) for q in squares)
    return beyond and all(q.all_positive() for q in squares)
