"""What may be claimed: a verdict per quantity, by one rule that needs a null, two controls and, for a law, seeds."""

import math
from dataclasses import dataclass

from rare_neurons.numerics.multiplicity import control_multiplicity

__all__ = ["Claim", "Evidence", "control_multiplicity", "judge_claim"]

MIN_SEEDS_FOR_A_LAW = 3
_UNITS = ("seed", "context", "context and neuron")
_DIRECTIONS = ("rise", "fall")
_CONTROLS = ("step 0", "the shuffled run")


@dataclass(frozen=True)
class Evidence:
    """A statistic with its interval, in the same units for the run and for its controls.

    Parameters
    ----------
    estimate, low, high : float
        The interval at the confidence that all evidence of one claim shares, 90 % by default in this project.
    seeds : int
        Independent training runs behind it; at least 1.
    """

    estimate: float
    low: float
    high: float
    seeds: int = 1

    def __post_init__(self):
        if self.seeds < 1:
            raise ValueError(f"evidence needs at least 1 run, got seeds={self.seeds}")
        if all(map(math.isfinite, (self.estimate, self.low, self.high))) and self.low > self.high:
            raise ValueError(f"evidence: low={self.low:g} is above high={self.high:g}; swap them")

    @property
    def missing(self):
        """Whether the estimate or a side of the interval is not finite."""
        return not all(map(math.isfinite, (self.estimate, self.low, self.high)))


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

    quantity: str
    estimate: float | None
    low: float | None
    high: float | None
    null: str
    null_p: float | None
    adjusted_p: float | None
    sample_unit: str
    seeds: int
    control_step0: float | None
    control_shuffled: float | None
    minimal_effect: float | None
    verdict: str
    reason: str


def judge_claim(
    quantity,
    evidence,
    *,
    control_step0,
    control_shuffled,
    null,
    null_p,
    adjusted_p,
    sample_unit,
    direction="rise",
    level=0.05,
    null_minimal_effect=None,
    is_control=None,
):
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
    control_step0, control_shuffled : Evidence | None
        The same statistic, computed in the same way, in the controls.
    null : str
    null_p, adjusted_p : float | None
        `adjusted_p` from `control_multiplicity` over all claims judged together.
    sample_unit : {"seed", "context", "context and neuron"}
    direction : {"rise", "fall"}
    level : float
    null_minimal_effect : float | None
        Smallest estimate that the null test would have called, where known.
    is_control : {"step 0", "the shuffled run"} | None
        The control that the data themselves are: they are judged by the null and the other control alone.

    Returns
    -------
    Claim

    Raises
    ------
    ValueError
        If the unit or direction is unknown, or `adjusted_p` is smaller than `null_p`.
    """
    _check(sample_unit, direction, is_control, null_p, adjusted_p)
    controls = {"step 0": control_step0, "the shuffled run": control_shuffled}
    controls.pop(is_control, None)
    lacking = _lacking(evidence, controls, null_p, adjusted_p, sample_unit)
    if lacking:
        verdict, reason, minimal = "not identifiable", lacking, None
    else:
        bounds = {name: _bound(control, evidence, sample_unit, direction) for name, control in controls.items()}
        verdict, reason = _verdict(evidence, bounds, adjusted_p, null, level, direction)
        minimal = _minimal_effect(evidence, bounds, direction, adjusted_p > level, null_minimal_effect)
        if verdict == "supported" and sample_unit != "seed":
            reason += "; it speaks of these runs, not of training in general"
    return Claim(
        quantity=quantity,
        estimate=_finite(evidence, "estimate"),
        low=_finite(evidence, "low"),
        high=_finite(evidence, "high"),
        null=null,
        null_p=_number(null_p),
        adjusted_p=_number(adjusted_p),
        sample_unit=sample_unit,
        seeds=0 if evidence is None else evidence.seeds,
        control_step0=_finite(control_step0, "estimate"),
        control_shuffled=_finite(control_shuffled, "estimate"),
        minimal_effect=minimal,
        verdict=verdict,
        reason=reason,
    )


def _check(sample_unit, direction, is_control, null_p, adjusted_p):
    asked = (("sample_unit", sample_unit, _UNITS), ("direction", direction, _DIRECTIONS))
    for name, value, known in (*asked, ("is_control", is_control, (None, *_CONTROLS))):
        if value not in known:
            raise ValueError(f"claim: unknown {name} '{value}'; known: {', '.join(map(str, known))}")
    given, adjusted = _number(null_p), _number(adjusted_p)
    if given is not None and adjusted is not None and adjusted < given:
        raise ValueError(f"claim: adjusted_p={adjusted:g} is below null_p={given:g}; adjust with control_multiplicity")


def _lacking(evidence, controls, null_p, adjusted_p, sample_unit):
    if evidence is None or evidence.missing:
        return "no estimate with an interval"
    if sample_unit == "seed" and evidence.seeds < MIN_SEEDS_FOR_A_LAW:
        return f"{evidence.seeds} run(s), but a claim over training needs {MIN_SEEDS_FOR_A_LAW} or more seeds"
    absent = [name for name, control in controls.items() if control is None or control.missing]
    if absent:
        return f"no control: {' and '.join(absent)}"
    if _number(null_p) is None or _number(adjusted_p) is None:
        return "no p-value under the null"
    return None


def _bound(control, evidence, sample_unit, direction):
    """The side of the control's interval that the claim has to exceed."""
    bound = control.high if direction == "rise" else control.low
    if sample_unit != "seed" or control.seeds >= evidence.seeds:
        return bound
    # ASSUME: runs of the control scatter as much as runs of the claim do.
    half = math.sqrt(evidence.seeds / control.seeds) * (evidence.high - evidence.low) / 2
    return max(bound, control.estimate + half) if direction == "rise" else min(bound, control.estimate - half)


def _verdict(evidence, bounds, adjusted_p, null, level, direction):
    near, beyond = (evidence.low, "above") if direction == "rise" else (evidence.high, "below")
    within = [
        f"its interval ends at {near:.3g}, not {beyond} {bound:.3g} of {name}"
        for name, bound in bounds.items()
        if not (near > bound if direction == "rise" else near < bound)
    ]
    if adjusted_p > level:
        within.insert(0, f"adjusted p {adjusted_p:.2g} against {null} is above {level:g}")
    if within:
        return "not detected", "; ".join(within)
    return "supported", f"{beyond} {' and '.join(bounds)}, adjusted p {adjusted_p:.2g} against {null}"


def _minimal_effect(evidence, bounds, direction, null_failed, null_minimal_effect):
    by_null = _number(null_minimal_effect)
    if null_failed and by_null is None:
        return None
    # A null that the estimate did not pass cannot be passed by less.
    known = [by_null] * (by_null is not None) + [evidence.estimate] * null_failed
    if direction == "rise":
        return max([max(bounds.values()) + evidence.estimate - evidence.low, *known])
    return min([min(bounds.values()) - (evidence.high - evidence.estimate), *known])


def _number(value):
    return None if value is None or not math.isfinite(value) else float(value)


def _finite(evidence, name):
    return None if evidence is None else _number(getattr(evidence, name))
