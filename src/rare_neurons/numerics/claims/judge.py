"""What may be claimed: a verdict per quantity, by one rule that needs a null, two controls and, for a law, seeds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Declared
from rare_neurons.numerics.claims.controls import Controls, Null, check_known
from rare_neurons.numerics.claims.evidence import Evidence

MIN_SEEDS_FOR_A_LAW = 3
_UNITS = ("seed", "context", "context and neuron")
_DIRECTIONS = ("rise", "fall")


@dataclass(frozen=True)
class Claim:
    """One row of the claims table.

    Parameters
    ----------
    quantity : str
    estimate, low, high : float | None
    null : str
        What would draw the statistic without the claim.
    null_p, adjusted_p : float | None
        P-value under that null, and after control for the other claims of the family.
    sample_unit : {"seed", "context", "context and neuron"}
        What was resampled: "seed" speaks of training in general, the others of these runs only.
    seeds : int
    control_step0, control_shuffled : float | None
        The same statistic at step 0 and in the run trained on unigram-shuffled text.
    minimal_effect : float | None
        Smallest estimate that would have been supported with the same uncertainty, controls and null; None where the
        null was not passed and its own smallest effect is not known.
    verdict : {"supported", "not detected", "not identifiable"}
    reason : str
    """

    quantity: Annotated[str, Column(None, "what is claimed")]
    estimate: Annotated[float | None, Column("`unit`", "the statistic, mean over runs")]
    low: Annotated[float | None, Column("`unit`", "lower end of the estimate's interval")]
    high: Annotated[float | None, Column("`unit`", "upper end")]
    null: Annotated[str, Column(None, "what would draw it without the claim")]
    null_p: Annotated[float | None, Column(None, "p under that null")]
    adjusted_p: Annotated[float | None, Column(None, "`null_p` after Holm's control for all claims judged together")]
    sample_unit: Annotated[
        str, Column(None, "resampled: `seed` speaks of training (three runs up), contexts and neurons of these runs")
    ]
    seeds: Annotated[int, Column("runs", "runs behind the estimate")]
    control_step0: Annotated[float | None, Column("`unit`", "the statistic at step 0")]
    control_shuffled: Annotated[float | None, Column("`unit`", "the statistic in the runs on unigram-shuffled text")]
    minimal_effect: Annotated[
        float | None, Column("`unit`", "smallest estimate that would have been supported with the same uncertainty")
    ]
    verdict: Annotated[str, Column(None, "`supported`, `not detected` or `not identifiable`; `reason` says why")]
    reason: Annotated[str, Column(None, "one sentence: what the verdict rests on")]


@dataclass(frozen=True)
class OfJudgement:
    """First columns of the claims table."""

    declared: Declared
    judged_at: Annotated[str, Column(None, "`last checkpoint`, or `step 0`, where nothing can be true of rare tokens")]
    unit: Annotated[str, Column(None, "of estimate, interval and controls")]
    direction: Annotated[str, Column(None, "`rise` or `fall`: on which side of the controls the claim lies")]


@dataclass(frozen=True)
class ClaimRow(Claim, OfJudgement):
    """One claim of one subject at one checkpoint."""


@dataclass(frozen=True)
class _Question:
    """What a verdict depends on besides null and controls."""

    evidence: Evidence
    sample_unit: str
    direction: str

    def bound(self, control: Evidence) -> float:
        """Return the side of the control's interval that the claim has to exceed."""
        rises = self.direction == "rise"
        bound = control.high if rises else control.low
        if self.sample_unit != "seed" or control.seeds >= self.evidence.seeds:
            return bound
        # ASSUME: runs of the control scatter as much as runs of the claim do.
        half = math.sqrt(self.evidence.seeds / control.seeds) * (self.evidence.high - self.evidence.low) / 2
        return max(bound, control.estimate + half) if rises else min(bound, control.estimate - half)


def judge_claim(
    quantity: str,
    evidence: Evidence | None,
    *,
    controls: Controls,
    null: Null,
    sample_unit: str,
    direction: str = "rise",
    level: float = 0.05,
) -> Claim:
    """Judge one claim that a statistic is larger (direction "rise") or smaller ("fall") than training alone explains.

    The rule, in this order:

    1. *not identifiable* if the estimate, its interval, a control, or the null's p-value is missing, or if the sample
       unit is the seed and there are fewer than three.
    2. *supported* if the adjusted p-value is at most `level` **and** the interval lies wholly beyond the interval of
       each control: low > high of step 0 and low > high of the shuffled run (mirrored for "fall").
    3. *not detected* otherwise, with the smallest estimate that would have passed.

    Where the sample unit is the seed, a control of fewer runs has an unknown spread over runs; it gets the claim's own,
    widened to its number of runs: half-width at least that of the claim times √(seeds / control's seeds).

    Two 90 % intervals that touch differ by at least 1.64 standard errors of the difference, so each control by itself
    is exceeded by chance in at most 5 % of cases; all must be exceeded, which needs no further correction.

    Parameters
    ----------
    quantity : str
    evidence : Evidence | None
    controls : Controls
    null : Null
    sample_unit : {"seed", "context", "context and neuron"}
    direction : {"rise", "fall"}
    level : float
        Largest false-positive rate.

    Returns
    -------
    Claim

    Raises
    ------
    ValueError
        If the unit or direction is unknown, or the adjusted p-value is smaller than the null's.
    """
    _check(sample_unit, direction, null)
    others = controls.others()
    lacking = _lacking(evidence, others, null, sample_unit)
    if lacking is not None or evidence is None:
        verdict, reason, minimal = "not identifiable", str(lacking), None
    else:
        asked = _Question(evidence, sample_unit, direction)
        bounds = {name: asked.bound(control) for name, control in others.items()}
        verdict, reason = _verdict(asked, bounds, null, level)
        minimal = _minimal_effect(asked, bounds, null, level)
        if verdict == "supported" and sample_unit != "seed":
            reason += "; it speaks of these runs, not of training in general"
    return Claim(
        quantity=quantity,
        estimate=_finite(evidence, "estimate"),
        low=_finite(evidence, "low"),
        high=_finite(evidence, "high"),
        null=null.name,
        null_p=_number(null.p),
        adjusted_p=_number(null.adjusted_p),
        sample_unit=sample_unit,
        seeds=0 if evidence is None else evidence.seeds,
        control_step0=_finite(controls.step0, "estimate"),
        control_shuffled=_finite(controls.shuffled, "estimate"),
        minimal_effect=minimal,
        verdict=verdict,
        reason=reason,
    )


def _check(sample_unit: str, direction: str, null: Null) -> None:
    check_known("sample_unit", sample_unit, _UNITS)
    check_known("direction", direction, _DIRECTIONS)
    given, adjusted = _number(null.p), _number(null.adjusted_p)
    if given is not None and adjusted is not None and adjusted < given:
        raise ValueError(f"claim: adjusted_p={adjusted:g} is below null_p={given:g}; adjust with control_multiplicity")


def _lacking(
    evidence: Evidence | None, controls: Mapping[str, Evidence | None], null: Null, sample_unit: str
) -> str | None:
    if evidence is None or evidence.missing:
        return "no estimate with an interval"
    if sample_unit == "seed" and evidence.seeds < MIN_SEEDS_FOR_A_LAW:
        return f"{evidence.seeds} run(s), but a claim over training needs {MIN_SEEDS_FOR_A_LAW} or more seeds"
    absent = [name for name, control in controls.items() if control is None or control.missing]
    if absent:
        return f"no control: {' and '.join(absent)}"
    if _number(null.p) is None or _number(null.adjusted_p) is None:
        return "no p-value under the null"
    return None


def _verdict(asked: _Question, bounds: Mapping[str, float], null: Null, level: float) -> tuple[str, str]:
    rises = asked.direction == "rise"
    near, beyond = (asked.evidence.low, "above") if rises else (asked.evidence.high, "below")
    within = [
        f"its interval ends at {near:.3g}, not {beyond} {bound:.3g} of {name}"
        for name, bound in bounds.items()
        if not (near > bound if rises else near < bound)
    ]
    if null.adjusted_p > level:
        within.insert(0, f"adjusted p {null.adjusted_p:.2g} against {null.name} is above {level:g}")
    if within:
        return "not detected", "; ".join(within)
    return "supported", f"{beyond} {' and '.join(bounds)}, adjusted p {null.adjusted_p:.2g} against {null.name}"


def _minimal_effect(asked: _Question, bounds: Mapping[str, float], null: Null, level: float) -> float | None:
    failed, by_null, evidence = null.adjusted_p > level, _number(null.minimal_effect), asked.evidence
    if failed and by_null is None:
        return None
    # A null that the estimate did not pass cannot be passed by less.
    known = [by_null] * (by_null is not None) + [evidence.estimate] * failed
    if asked.direction == "rise":
        return max([max(bounds.values()) + evidence.estimate - evidence.low, *known])
    return min([min(bounds.values()) - (evidence.high - evidence.estimate), *known])


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _finite(evidence: Evidence | None, name: str) -> float | None:
    return None if evidence is None else _number(getattr(evidence, name))
