"""Likelihood ratios of the power-law tail against its alternatives."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class TailComparison:
    """Normalised log-likelihood ratio of the power law over one alternative, and its p value."""

    ratio: float | None
    p_value: float | None


def compare_tails(tail: ArrayLike, *, alpha: float, xmin: float) -> dict[str, TailComparison]:
    """Compare a fitted tail with its alternatives (none yet)."""
    return {}
