"""Tests over runs: would another seed show it, and do controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rare_neurons.numerics.evidence.beyond_control import MIN_CONTROLS
from rare_neurons.numerics.evidence.comparison import Comparison, Decision, compare, directed_p, no_comparison
from rare_neurons.numerics.evidence.seeds import MIN_RUNS

from .findings import Finding

Values = Sequence[Finding]
"""One run each, at one checkpoint."""


@dataclass(frozen=True)
class Tested:
    """A comparison, and what decides where there are several.

    Attributes
    ----------
    comparison : Comparison
        Beyond matched sets; its minimal effect is the larger of all tests'.
    placebo : float or None
        Mean effect beyond the placebo.
    p_value : float or None
        Of all tests in the same direction: the largest; None unless all are tested.
    unit : str or None
        Of the numbers, where it is not the question's.
    """

    comparison: Comparison
    placebo: float | None
    p_value: float | None
    unit: str | None = None


def over_runs(runs: Values, *, decision: Decision) -> Tested:
    """Test the mean effect over runs against zero, beyond matched sets and beyond the placebo.

    Student's t over runs, whose variance is not taken to be smaller than what single sets scatter by: three runs that
    happen to agree say no more than that. Matched sets and the placebo are read at the same places of the same
    panel: what it does to all neurons is no effect.
    """
    usable = tested(runs)
    if len(usable) < MIN_RUNS:
        return Tested(_too_few(runs, usable, n_controls=0), None, None)
    matched = compare(_mean(usable, "beyond"), [_part(usable, "beyond")], decision=decision, n_runs=len(usable))
    if any(one.placebo is None for one in usable):
        return Tested(matched, None, matched.p_value)
    beside = compare(_mean(usable, "placebo"), [_part(usable, "placebo")], decision=decision, n_runs=len(usable))
    tests = (matched, beside)
    smallest = [test.minimal_effect for test in tests if test.minimal_effect is not None]
    told = replace(matched, minimal_effect=max(smallest, default=None))
    return Tested(told, beside.estimate, joint_p(tests, decision))


def beyond_controls(runs: Values, controls: Values, *, decision: Decision) -> Comparison:
    """Test the mean effect of the runs against that of the controls (Welch), with the same least variance."""
    own, other = tested(runs), tested(controls)
    if len(own) < MIN_RUNS:
        return _too_few(runs, own, n_controls=len(other))
    if len(other) < MIN_CONTROLS:
        reason = f"{len(other)} of {len(controls)} controls have a value, but {MIN_CONTROLS} are needed"
        counts = {"n_runs": len(own), "n_controls": len(other)}
        return no_comparison(**counts, status="too_few_controls", reason=reason)
    difference = _mean(own, "beyond") - _mean(other, "beyond")
    parts = [_part(own, "beyond"), _part(other, "beyond")]
    return compare(difference, parts, decision=decision, n_runs=len(own), n_controls=len(other))


def joint_p(tests: Sequence[Comparison], decision: Decision) -> float | None:
    """Return the p of all tests together in one direction: the largest, times the number of directions that may do."""
    if any(test.status != "tested" for test in tests):
        return None
    ways = ("rise", "fall") if decision.direction == "either" else (decision.direction,)
    t = [(test.estimate / test.standard_error, test.degrees_of_freedom) for test in tests]
    return min(1.0, len(ways) * min(max(directed_p(x, nu, way) for x, nu in t) for way in ways))


def tested(values: Values) -> list[Finding]:
    """Those of the runs that have a value."""
    return [one for one in values if one.beyond is not None]


def _too_few(runs: Values, usable: Values, *, n_controls: int) -> Comparison:
    why = next((f": {one.reason}" for one in runs if one.beyond is None and one.reason), "")
    reason = f"{len(usable)} of {len(runs)} runs have a value, but {MIN_RUNS} are needed{why}"
    return no_comparison(n_runs=len(usable), n_controls=n_controls, status="too_few_runs", reason=reason)


def _mean(values: Values, name: str) -> float:
    return float(np.mean([getattr(one, name) for one in values]))


def _part(values: Values, name: str) -> tuple[float, float]:
    """Variance of the mean, and its degrees of freedom."""
    scatter = float(np.var([getattr(one, name) for one in values], ddof=1))
    least = float(np.mean([one.spread**2 for one in values]))
    return max(scatter, least) / len(values), len(values) - 1
