"""Tier `specific`: whether it is about rare tokens, beyond what the geometry of the weights gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rare_neurons.numerics.grid.leave_outs import stack

from .beyond_control import MIN_CONTROLS
from .comparison import Comparison, Decision, Direction, compare, directed_p, no_comparison
from .contrasts import Contrast, Geometry, geometry, log_contrast, log_share, mean_contrast, share_contrasts
from .seeds import MIN_RUNS, panel_part, run_part
from .strata_pair import RunInfluence, StrataPair, resolved


@dataclass(frozen=True, slots=True)
class SpecificEvidence:
    """Both tests of the tier.

    Attributes
    ----------
    form : str
        ``log`` (ratio of mean squares), ``share`` (of their growth on rare tokens, what common ones do not explain),
        both for any signs, or ``linear`` (means, blind to mixed signs).
    form_reason : str
        Why another form than ``log`` had to be used, and what it asks; empty for ``log``.
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
    permutations; a rise is asked for, since general growth, and any factor that all strata share, cancels. It is taken
    with the controls that are resolved (more than 2 standard errors, placebo and every leave-out positive): choosing
    them by the outcome keeps the level (docs/methods/evidence.md). Where a run's mean squares, or
    those of all but one control, are not resolved, the share form for all: ``1 − ρ ΔQ_common / ΔQ_rare`` of the changes
    since the first checkpoint, ρ the placebo's ratio over all runs or, where that is not resolved, the square of
    `contrasts.LEAST_FACTOR`. Where not even the rare part of every run is resolved, the linear form:
    ``|M − M°|_rare > κ |M − M°|_common``, that is ``[M − M°]_rare ∓ κ [M − M°]_common`` both beyond zero in one
    direction, κ = √ρ. The tier needs all: runs against zero, and runs against controls (an intersection-union test).

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
    for each in (*runs, *controls):
        each.square.n_permutations()
    decision = replace(decision or Decision(), direction="rise")
    usable = [control for control in controls if has_logarithm(control.square)]
    why = _why_not_log(runs, controls, usable)
    if not why:
        own, other = ([log_contrast(each.square) for each in side] for side in (runs, usable))
        tests = _against_zero(own, decision), _against_controls(own, other, decision)
        return SpecificEvidence("log", "", *tests, _joint_p(tests, ("rise",)))
    weak = [k for k, run in enumerate(runs) if not resolved(run.growth.rare)]
    if not weak:
        return judge_shares(runs, controls, why, decision)
    why = f"growth of the mean square on rare tokens is not resolved in {len(weak)} of {len(runs)} runs"
    return _linear_form(runs, controls, why, replace(decision, direction="either"))


def judge_shares(
    runs: Sequence[RunInfluence], controls: Sequence[RunInfluence], why: str, decision: Decision
) -> SpecificEvidence:
    """Judge by the share form, whose rare part every run has resolved; `why` begins the reason."""
    allowed = geometry(runs)
    own, other = share_contrasts(runs, controls, allowed)
    beyond = own
    if resolved(*(run.growth.common for run in runs)):
        # A share is skewed where runs scatter, and three of them reject too often; its logarithm is not.
        beyond = [log_share(run.growth, allowed, len(runs)) for run in runs]
    tests = _against_zero(beyond, decision), _against_controls(own, other, decision)
    reason = f"{why}, so growth of mean squares is compared; {_must_exceed(allowed)}"
    return SpecificEvidence("share", reason, *tests, _joint_p(tests, ("rise",)))


def _linear_form(
    runs: Sequence[RunInfluence], controls: Sequence[RunInfluence], why: str, decision: Decision
) -> SpecificEvidence:
    allowed, tests = geometry(runs), []
    for sign in (1, -1):
        own, other = ([mean_contrast(each.mean, allowed, sign) for each in side] for side in (runs, controls))
        tests += [_against_zero(own, decision), _against_controls(own, other, decision)]
    reason = f"{why}, so means are compared, which do not see effects of mixed signs; {_must_exceed(allowed)}"
    return SpecificEvidence("linear", reason, *tests[:2], _joint_p(tests, ("rise", "fall")))


def _must_exceed(allowed: Geometry) -> str:
    return f"the effect on rare tokens must exceed {allowed.origin}"


def _why_not_log(runs: Sequence[RunInfluence], controls: Sequence[RunInfluence], usable: Sequence[RunInfluence]) -> str:
    """Say what is not resolved; empty where the logarithms exist."""
    weak = [k for k, run in enumerate(runs) if not has_logarithm(run.square)]
    if weak:
        return f"mean squares of {len(weak)} of {len(runs)} runs are not resolved"
    if controls and len(usable) < MIN_CONTROLS:
        return f"mean squares of {len(usable)} of {len(controls)} controls are resolved"
    return ""


def has_logarithm(pair: StrataPair) -> bool:
    """Whether both strata's mean squares exceed their error and the placebo's logarithms exist too."""
    placebo = (pair.placebo_rare.mean(), pair.placebo_common.mean())
    return resolved(pair.rare, pair.common) and all(q.all_positive() for q in placebo)


def _against_zero(runs: Sequence[Contrast], decision: Decision) -> Comparison:
    """Test the mean contrast of the runs against zero."""
    n = len(runs)
    if n < MIN_RUNS:
        reason = f"{n} runs, but the tier needs {MIN_RUNS}"
        return no_comparison(n_runs=n, n_controls=0, status="too_few_runs", reason=reason)
    values = stack([contrast.value for contrast in runs])
    parts = [run_part(values), _placebo_part(runs), panel_part(values.mean())]
    return compare(float(values.value.mean()), parts, decision=decision, n_runs=n)


def _against_controls(runs: Sequence[Contrast], controls: Sequence[Contrast], decision: Decision) -> Comparison:
    """Test the runs' mean contrast against the controls'."""
    n, m = len(runs), len(controls)
    if n < MIN_RUNS or m < MIN_CONTROLS:
        status = "too_few_runs" if n < MIN_RUNS else "too_few_controls"
        reason = f"{n} runs and {m} controls, but the tier needs {MIN_RUNS} and {MIN_CONTROLS}"
        return no_comparison(n_runs=n, n_controls=m, status=status, reason=reason)
    own, other = (stack([contrast.value for contrast in side]) for side in (runs, controls))
    difference = own.mean() - other.mean()
    parts = [run_part(own), run_part(other), _placebo_part(runs), _placebo_part(controls), panel_part(difference)]
    return compare(float(difference.value), parts, decision=decision, n_runs=n, n_controls=m)


def _placebo_part(contrasts: Sequence[Contrast]) -> tuple[float, float]:
    """Variance that permutations add to a mean over runs, and its degrees of freedom."""
    variance = sum(contrast.variance for contrast in contrasts) / len(contrasts) ** 2
    return variance, float(sum(contrast.freedom for contrast in contrasts))


def _joint_p(tests: Sequence[Comparison], ways: Sequence[Direction]) -> float | None:
    """p-value of all tests together in one direction, the largest; times the number of directions that may do."""
    if any(test.status != "tested" for test in tests):
        return None
    t = [(test.estimate / test.standard_error, test.degrees_of_freedom) for test in tests]
    return min(1.0, len(ways) * min(max(directed_p(x, nu, way) for x, nu in t) for way in ways))
