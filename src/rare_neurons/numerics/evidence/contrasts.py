"""Influence on rare tokens against that on common ones, beyond what the geometry of the weights gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rare_neurons.numerics.grid.leave_outs import LeaveOuts, combine, stack

from .strata_pair import RunInfluence, StrataPair, resolved

LEAST_FACTOR = 2.0
"""How much larger an effect on rare tokens must be than on common ones, where the placebo does not say."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """One run's contrast.

    Attributes
    ----------
    value : LeaveOuts
        Scalar.
    variance : float
        What the choice of the placebo's permutations adds.
    freedom : int
        Its degrees of freedom.
    """

    value: LeaveOuts
    variance: float
    freedom: int


@dataclass(frozen=True, slots=True)
class Geometry:
    """How much larger effects that strata share may be on rare tokens.

    Attributes
    ----------
    ratio : LeaveOuts
        Of mean squares, rare over common.
    variance : float
        Of the ratio, over permutations.
    freedom : int
    origin : str
        Where it comes from, in words, as a factor of root mean squares.
    """

    ratio: LeaveOuts
    variance: float
    freedom: int
    origin: str


def log_contrast(pair: StrataPair) -> Contrast:
    """``λ = ½ ln(Q_rare / Q_common) − λ°``, λ° of the placebo's mean squares averaged over permutations."""

    def contrast(rare: np.ndarray, common: np.ndarray) -> np.ndarray:
        return 0.5 * (np.log(rare) - np.log(common))

    placebo = combine(contrast, pair.placebo_rare.mean(), pair.placebo_common.mean())
    value = combine(contrast, pair.rare, pair.common) - placebo
    return Contrast(value, _relative_variance(pair) / 4, pair.n_permutations() - 1)


def geometry(runs: Sequence[RunInfluence]) -> Geometry:
    """Ratio of mean squares that the weights' geometry gives: the placebo's, of all runs together.

    Where the placebo's mean squares are not resolved, the square of the declared `LEAST_FACTOR`.
    """
    pairs = [run.square for run in runs]
    rare = stack([pair.placebo_rare.mean() for pair in pairs]).mean()
    common = stack([pair.placebo_common.mean() for pair in pairs]).mean()
    if not resolved(rare, common):
        declared = combine(lambda q: np.full_like(q, LEAST_FACTOR**2), rare)
        origin = f"{LEAST_FACTOR:g} times the effect on common ones, as the placebo's ratio is not resolved"
        return Geometry(declared, 0.0, 1, origin)
    ratio = combine(np.divide, rare, common)
    relative = sum(_share_variance(pair, float(rare.value), float(common.value)) for pair in pairs) / len(pairs) ** 2
    freedom = sum(pair.n_permutations() - 1 for pair in pairs)
    origin = f"{float(np.sqrt(ratio.value)):.2g} times the effect on common ones, the placebo's ratio"
    return Geometry(ratio, float(ratio.value) ** 2 * relative, freedom, origin)


def share_contrasts(
    runs: Sequence[RunInfluence], controls: Sequence[RunInfluence], allowed: Geometry
) -> tuple[list[Contrast], list[Contrast]]:
    """Share of the growth on rare tokens that is beyond the allowed multiple of that on common ones.

    ``U = 1 − ρ ΔQ_common / ΔQ_rare`` of each run, ρ the geometry's ratio: only the rare part has to be resolved, since
    the common one, which may be nothing, stands in the numerator. Without noise it is ``1 − e^(−2λ)``. A control has
    the same where its rare part is resolved; where it is not, all of its rare part counts as beyond, in the unit of
    the runs': ``ΔQ_rare / (mean ΔQ_rare of the runs)``, which is not below what a share would be there.
    """
    unit = stack([run.growth.rare for run in runs]).mean()
    own = [_share(run.growth, allowed, len(runs)) for run in runs]
    other = []
    for growth in (control.growth for control in controls):
        known = resolved(growth.rare)
        silent = Contrast(combine(np.divide, growth.rare, unit), 0.0, allowed.freedom)
        other.append(_share(growth, allowed, len(controls)) if known else silent)
    return own, other


def log_share(pair: StrataPair, allowed: Geometry, n_sharing: int) -> Contrast:
    """Logarithmic form of the same, where common tokens are resolved too: ``½ ln(ΔQ_rare / (ρ ΔQ_common))``."""
    value = combine(lambda r, c, ratio: 0.5 * np.log(r / (c * ratio)), pair.rare, pair.common, allowed.ratio)
    relative = allowed.variance / float(allowed.ratio.value) ** 2
    return Contrast(value, n_sharing * relative / 4, allowed.freedom)


def mean_contrast(pair: StrataPair, allowed: Geometry, sign: int) -> Contrast:
    """Mean beyond the placebo on rare tokens, less (plus, for sign −1) the allowed multiple of that on common ones."""
    factor, n = combine(np.sqrt, allowed.ratio), pair.n_permutations()

    def beyond(rare: LeaveOuts, common: LeaveOuts) -> LeaveOuts:
        return combine(lambda x, y, kappa: x - sign * kappa * y, rare, common, factor)

    placebo = [beyond(pair.placebo_rare[k], pair.placebo_common[k]) for k in range(n)]
    variance = float(np.var([one.value for one in placebo], ddof=1)) / n
    return Contrast(beyond(pair.rare, pair.common) - stack(placebo).mean(), variance, n - 1)


def _share(pair: StrataPair, allowed: Geometry, n_sharing: int) -> Contrast:
    value = combine(lambda rare, common, ratio: 1 - ratio * common / rare, pair.rare, pair.common, allowed.ratio)
    slope = float(pair.common.value / pair.rare.value)
    # One ratio for all: its error does not become smaller in a mean over runs.
    return Contrast(value, n_sharing * slope**2 * allowed.variance, allowed.freedom)


def _relative_variance(pair: StrataPair) -> float:
    """Variance of ``ln(Q°_rare / Q°_common)`` over permutations."""
    return _share_variance(pair, float(pair.placebo_rare.value.mean()), float(pair.placebo_common.value.mean()))


def _share_variance(pair: StrataPair, rare: float, common: float) -> float:
    """Return the same of a pair that is one of several behind the mean squares given."""
    n = pair.n_permutations()
    ratio = pair.placebo_rare.value / rare - pair.placebo_common.value / common
    # Linearised: a single permutation's mean square may be negative.
    return float(np.square(ratio - ratio.mean()).sum()) / (n * (n - 1))
