"""Tier `specific`: whether it is about rare tokens, beyond what the geometry of the weights gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rare_neurons.numerics.grid.effective_number import RESOLVED
from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.leave_outs import LeaveOuts, combine, stack

from .beyond_control import MIN_CONTROLS
from .comparison import Comparison, Decision, Direction, compare, directed_p, no_comparison
from .seeds import MIN_RUNS, panel_part, run_part

LEAST_FACTOR = 2.0
"""How much larger an effect on rare tokens must be than on common ones, where the placebo does not say."""


@dataclass(frozen=True, slots=True)
class StrataPair:
    """One statistic of one run at the declared checkpoint, within each of two strata.

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


@dataclass(frozen=True, slots=True)
class RunInfluence:
    """Within-stratum influence of one run or control.

    Attributes
    ----------
    square : StrataPair
        Noise-free mean squares over neurons.
    mean : StrataPair
        Means over neurons of the signed influence, as changes since the first checkpoint.
    """

    square: StrataPair
    mean: StrataPair


@dataclass(frozen=True, slots=True)
class SpecificEvidence:
    """Both tests of the tier.

    Attributes
    ----------
    form : str
        ``log`` (ratio of mean squares, sees any signs) or ``linear`` (means, blind to mixed signs).
    form_reason : str
        Why the linear form had to be used, and what it asks; empty for ``log``.
    seeds : Comparison
        Contrast beyond the placebo over the runs; in the linear form that with ``− κ``.
    control : Comparison
        The runs' contrast against the controls'.
    p_value : float or None
        Of all tests together in one direction: the largest; ``None`` unless all are tested.
    """

    form: str
    form_reason: str
    seeds: Comparison
    control: Comparison
    p_value: float | None


def judge_specific(
    *, runs: Sequence[RunInfluence], controls: Sequence[RunInfluence], decision: Decision | None = None
) -> SpecificEvidence:
    """Test whether influence is greater on rare than on common tokens, beyond placebo and beyond controls.

    Log form: ``λ = ½ ln(Q_rare / Q_common) − λ°``, λ° the same of the placebo's mean squares averaged over
    permutations; a rise is asked for, since general growth, and any factor that all strata share, cancels. Where a
    run's mean squares, or those of all but one control, are not resolved (more than 2 standard errors, placebo and
    every leave-out positive), the linear form for all: ``|M − M°|_rare > κ |M − M°|_common``, that is
    ``[M − M°]_rare ∓ κ [M − M°]_common`` both beyond zero in one direction. κ is the placebo's ratio of root mean
    squares over all runs, so that an effect of one sign that strata share in the proportion of the weights' geometry is
    none; where the placebo is not resolved, `LEAST_FACTOR`. The tier needs all: runs against zero, and runs against
    controls (an intersection-union test).

    Parameters
    ----------
    runs, controls : sequence of RunInfluence
        On one panel and grid, with at least two placebo permutations each.
    decision : Decision, optional
        Its direction is that of the form.

    Returns
    -------
    SpecificEvidence

    Raises
    ------
    ValueError
        If there are fewer than two placebo permutations.
    """
    decision = decision or Decision()
    usable = [control for control in controls if _resolved(control.square)]
    form_reason = _why_linear(runs, controls, usable)
    if not form_reason:
        own, other = ([_log(each.square) for each in side] for side in (runs, usable))
        tests = _both(own, other, replace(decision, direction="rise"))
        return SpecificEvidence("log", "", *tests, _joint_p(tests, ("rise",)))
    factor, origin = _geometry(runs)
    decision, tests = replace(decision, direction="either"), []
    for sign in (1, -1):
        own, other = ([_linear(each.mean, factor, sign) for each in side] for side in (runs, controls))
        tests += _both(own, other, decision)
    reason = f"{form_reason}; the effect on rare tokens must exceed {origin}"
    return SpecificEvidence("linear", reason, *tests[:2], _joint_p(tests, ("rise", "fall")))


Contrast = tuple[LeaveOuts, float, int]  # value with leave-outs, variance over permutations, its degrees of freedom


def _why_linear(runs: Sequence[RunInfluence], controls: Sequence[RunInfluence], usable: Sequence[RunInfluence]) -> str:
    """Sentence that names what is not resolved; empty where the logarithms exist."""
    weak = [k for k, run in enumerate(runs) if not _resolved(run.square)]
    blind = "so means are compared, which do not see effects of mixed signs"
    if weak:
        return f"mean squares of {len(weak)} of {len(runs)} runs are not resolved, {blind}"
    if controls and len(usable) < MIN_CONTROLS:
        return f"mean squares of {len(usable)} of {len(controls)} controls are resolved, {blind}"
    return ""


def _resolved(pair: StrataPair) -> bool:
    """Whether both strata's mean squares exceed their error and all logarithms exist."""
    own = (pair.rare, pair.common)
    placebo = (pair.placebo_rare.mean(), pair.placebo_common.mean())
    beyond = all(float(q.value) > RESOLVED * float(standard_error(q)) for q in own)
    return beyond and all(q.all_positive() for q in (*own, *placebo))


def _log(pair: StrataPair) -> Contrast:
    """λ of one run, with the variance that the choice of permutations adds."""

    def contrast(rare: np.ndarray, common: np.ndarray) -> np.ndarray:
        return 0.5 * (np.log(rare) - np.log(common))

    placebo = combine(contrast, pair.placebo_rare.mean(), pair.placebo_common.mean())
    rare, common = pair.placebo_rare.value, pair.placebo_common.value
    n = _n_permutations(pair)
    ratio = rare / rare.mean() - common / common.mean()  # linearised: a single permutation's Q may be negative
    variance = float(np.square(ratio / 2).sum()) / (n * (n - 1))
    return combine(contrast, pair.rare, pair.common) - placebo, variance, n - 1


def _geometry(runs: Sequence[RunInfluence]) -> tuple[LeaveOuts, str]:
    """Factor κ by which effects that strata share may be larger on rare tokens, and where it comes from.

    The placebo's ratio of root mean squares, rare over common, of all runs together; where that is not resolved, the
    declared `LEAST_FACTOR`.
    """
    sides = [
        stack([side(run.square).mean() for run in runs]).mean()
        for side in (lambda pair: pair.placebo_rare, lambda pair: pair.placebo_common)
    ]
    if all(q.all_positive() and float(q.value) > RESOLVED * float(standard_error(q)) for q in sides):
        ratio = combine(lambda rare, common: np.sqrt(rare / common), *sides)
        return ratio, f"{float(ratio.value):.2g} times the effect on common ones, the placebo's ratio"
    declared = combine(lambda q: np.full_like(q, LEAST_FACTOR), sides[0])
    return declared, f"{LEAST_FACTOR:g} times the effect on common ones, as the placebo's ratio is not resolved"


def _linear(pair: StrataPair, factor: LeaveOuts, sign: int) -> Contrast:
    """Mean beyond the placebo on rare tokens, less (plus, for sign −1) the factor times that on common ones."""
    n = _n_permutations(pair)

    def beyond(rare: LeaveOuts, common: LeaveOuts) -> LeaveOuts:
        return combine(lambda x, y, kappa: x - sign * kappa * y, rare, common, factor)

    placebo = [beyond(pair.placebo_rare[k], pair.placebo_common[k]) for k in range(n)]
    own = beyond(pair.rare, pair.common)
    variance = float(np.var([one.value for one in placebo], ddof=1)) / n
    return own - stack(placebo).mean(), variance, n - 1


def _n_permutations(pair: StrataPair) -> int:
    n = len(pair.placebo_rare.value)
    if n < 2 or len(pair.placebo_common.value) != n:
        raise ValueError(f"{n} and {len(pair.placebo_common.value)} placebo permutations; both strata need at least 2")
    return n


def _both(own: Sequence[Contrast], other: Sequence[Contrast], decision: Decision) -> tuple[Comparison, Comparison]:
    return _against_zero(own, decision), _against_controls(own, other, decision)


def _against_zero(runs: Sequence[Contrast], decision: Decision) -> Comparison:
    """Test the mean contrast of the runs against zero."""
    n = len(runs)
    if n < MIN_RUNS:
        reason = f"{n} runs, but the tier needs {MIN_RUNS}"
        return no_comparison(n_runs=n, n_controls=0, status="too_few_runs", reason=reason)
    values = stack([contrast for contrast, _, _ in runs])
    parts = [run_part(values), _placebo_part(runs), panel_part(values.mean())]
    return compare(float(values.value.mean()), parts, decision=decision, n_runs=n)


def _against_controls(runs: Sequence[Contrast], controls: Sequence[Contrast], decision: Decision) -> Comparison:
    """Test the runs' mean contrast against the controls'."""
    n, m = len(runs), len(controls)
    if n < MIN_RUNS or m < MIN_CONTROLS:
        status = "too_few_runs" if n < MIN_RUNS else "too_few_controls"
        reason = f"{n} runs and {m} controls, but the tier needs {MIN_RUNS} and {MIN_CONTROLS}"
        return no_comparison(n_runs=n, n_controls=m, status=status, reason=reason)
    own, other = (stack([contrast for contrast, _, _ in side]) for side in (runs, controls))
    difference = own.mean() - other.mean()
    parts = [run_part(own), run_part(other), _placebo_part(runs), _placebo_part(controls), panel_part(difference)]
    return compare(float(difference.value), parts, decision=decision, n_runs=n, n_controls=m)


def _placebo_part(contrasts: Sequence[Contrast]) -> tuple[float, float]:
    """Variance that permutations add to a mean over runs, and its degrees of freedom."""
    return sum(v for _, v, _ in contrasts) / len(contrasts) ** 2, float(sum(nu for _, _, nu in contrasts))


def _joint_p(tests: Sequence[Comparison], ways: Sequence[Direction]) -> float | None:
    """p-value of all tests together in one direction, the largest; times the number of directions that may do."""
    if any(test.status != "tested" for test in tests):
        return None
    t = [(test.estimate / test.standard_error, test.degrees_of_freedom) for test in tests]
    return min(1.0, len(ways) * min(max(directed_p(x, nu, way) for x, nu in t) for way in ways))
