"""Whether the last layer carries more or less than its share, and whether influence moves between layers.

Statistics are ratios of noise-free mean squares of each layer's influence: a network whose influence grows in all
layers alike changes none of them. Where they are not resolved in every run and control, the first question is asked of
means (docs/methods/layers.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from rare_neurons.columns import Column, Declared, Reason, Stratum
from rare_neurons.numerics.evidence.comparison import Comparison, Decision, compare, no_comparison
from rare_neurons.numerics.evidence.multiplicity import adjust_questions
from rare_neurons.numerics.evidence.question import Rule
from rare_neurons.numerics.evidence.rows import Role, Run
from rare_neurons.numerics.evidence.subject_study import majority
from rare_neurons.numerics.evidence.tiers import TIERS, reach_tier
from rare_neurons.numerics.grid.jackknife import one_way_variance

from .ratios import LAST, MOVES, NATS, QUESTIONS, SHARE, LayerMoments, RunValue, form_of, value_of

MIN_RUNS, MIN_CONTROLS = 3, 2
Histories = Mapping[str, Mapping[int, LayerMoments]]


@dataclass(frozen=True)
class LayerEvidenceRow:
    """One question at one tier."""

    declared: Declared
    question: Annotated[str, Column(None, f"`{LAST}` beyond its share, or `{MOVES}`")]
    run: Run
    role: Role
    tier: Annotated[str, Column(None, "`run`, `seeds` or `beyond_control`")]
    stratum: Stratum
    step: Annotated[int | None, Column("optimizer updates", "checkpoint that is judged")]
    since: Annotated[int | None, Column("optimizer updates", "checkpoint it is compared with, of a move")]
    form: Annotated[
        str, Column(None, f"`{SHARE}`: of mean squares; `{NATS}`: of means, where mean squares are within their noise")
    ]
    estimate: Annotated[
        float | None,
        Column(
            "of the form",
            "share of the last layer minus 1/layers, or mean of its neurons minus that of all; or move of the mean "
            "layer, the first at 0, the last at 1",
        ),
    ]
    low: Annotated[float | None, Column("of the form", "lower end of its interval over documents, types and runs")]
    high: Annotated[float | None, Column("of the form", "upper end")]
    p_value: Annotated[float | None, Column("probability", "before the other question is paid for")]
    p_adjusted: Annotated[float | None, Column("probability", "the same, paid for: compared with the level")]
    minimal_effect: Annotated[
        float | None, Column("of the form", "value that such noise would have let be found in four of five cases")
    ]
    holds: Annotated[bool, Column(None, "whether the tier is reached, with all those before it")]
    reached: Annotated[str | None, Column(None, "highest tier that the question reaches for the subject")]
    n_runs: Annotated[int, Column("runs", "runs compared")]
    n_controls: Annotated[int, Column("runs", "controls compared")]
    status: Annotated[str, Column(None, "`tested`, or why it was not")]
    reason: Reason


def judge_layers(
    runs: Histories, controls: Histories, *, subject: str, stratum: str, rule: Rule
) -> list[LayerEvidenceRow]:
    """Answer both questions at the tiers `run`, `seeds` and `beyond_control`.

    The variance of a run is the jackknife over document folds times the square of `LayerMoments.factor`; over runs
    there is a part for their scatter too, as all are evaluated on one panel. Questions of a tier share its level
    (Holm).

    Parameters
    ----------
    runs, controls : mapping of model to mapping of step to LayerMoments
    subject, stratum : str
    rule : Rule
    """
    decision = rule.decision("either")
    everyone = {**runs, **controls}
    form = form_of(everyone)
    values = [{m: value_of(question, of, form) for m, of in everyone.items()} for question in QUESTIONS]
    alone = [{m: _alone(value, decision) for m, value in of.items()} for of in values]
    sides = [([of[m] for m in runs], [of[m] for m in controls]) for of in values]
    tests = {
        "seeds": [_over_runs(own, decision) for own, _ in sides],
        "beyond_control": [_beyond_controls(own, other, decision) for own, other in sides],
    }
    paid = {tier: _holm([test.p_value for test in of]) for tier, of in tests.items()}
    paid_alone = {m: _holm([of[m].p_value for of in alone]) for m in values[0]}
    rows = []
    for k, question in enumerate(QUESTIONS):
        p = {"run": majority({m: paid_alone[m][k] for m in runs})} | {tier: paid[tier][k] for tier in tests}
        reached = reach_tier(p, level=rule.level).tier
        about = {"declared": k + 1, "question": question, "stratum": stratum, "form": form, "reached": reached}
        for m, value in values[k].items():
            own = paid_alone[m][k]
            about_run = {"run": m, "role": "run" if m in runs else "control", "tier": "run"}
            about_run |= {"step": value.step, "since": value.since, "p_adjusted": own}
            holds = own is not None and own <= rule.level
            rows.append(LayerEvidenceRow(**about, **about_run, **_numbers(alone[k][m]), holds=holds))
        for tier, of in tests.items():
            whole = {"run": subject, "role": "all", "tier": tier, "p_adjusted": paid[tier][k]}
            whole |= {"step": _last(sides[k][0]), "since": None}
            holds = reached is not None and TIERS.index(tier) <= TIERS.index(reached)
            rows.append(LayerEvidenceRow(**about, **whole, **_numbers(of[k]), holds=holds))
    return rows


def _last(values: Sequence[RunValue]) -> int | None:
    return max((one.step for one in values if one.step is not None), default=None)


def _alone(value: RunValue, decision: Decision) -> Comparison:
    if value.value is None:
        return no_comparison(n_runs=1, n_controls=0, status="unresolved", reason=value.reason)
    return compare(value.value, [_panel_part(value.leave_outs, value.factor)], decision=decision, n_runs=1)


def _over_runs(runs: Sequence[RunValue], decision: Decision) -> Comparison:
    usable = _usable(runs)
    if len(usable) < MIN_RUNS:
        reason = f"{len(usable)} of {len(runs)} runs have a value, but {MIN_RUNS} are needed"
        return no_comparison(n_runs=len(usable), n_controls=0, status="too_few_runs", reason=reason)
    parts = [_run_part(usable), _panel_part(_mean_leave_outs(usable), _factor(usable))]
    return compare(_mean(usable), parts, decision=decision, n_runs=len(usable))


def _beyond_controls(runs: Sequence[RunValue], controls: Sequence[RunValue], decision: Decision) -> Comparison:
    own, other = _usable(runs), _usable(controls)
    counts = {"n_runs": len(own), "n_controls": len(other)}
    if len(own) < MIN_RUNS:
        reason = f"{len(own)} of {len(runs)} runs have a value, but {MIN_RUNS} are needed"
        return no_comparison(**counts, status="too_few_runs", reason=reason)
    if len(other) < MIN_CONTROLS:
        reason = f"{len(other)} of {len(controls)} controls have a value, but {MIN_CONTROLS} are needed"
        return no_comparison(**counts, status="too_few_controls", reason=reason)
    difference = _mean_leave_outs(own) - _mean_leave_outs(other)
    parts = [_run_part(own), _run_part(other), _panel_part(difference, _factor([*own, *other]))]
    return compare(_mean(own) - _mean(other), parts, decision=decision, **counts)


def _usable(values: Sequence[RunValue]) -> list[RunValue]:
    return [one for one in values if one.value is not None]


def _mean(values: Sequence[RunValue]) -> float:
    return float(np.mean([one.value for one in values]))


def _mean_leave_outs(values: Sequence[RunValue]) -> np.ndarray:
    return np.mean([one.leave_outs for one in values], axis=0)


def _factor(values: Sequence[RunValue]) -> float:
    return max(one.factor for one in values)


def _run_part(values: Sequence[RunValue]) -> tuple[float, float]:
    return float(np.var([one.value for one in values], ddof=1)) / len(values), len(values) - 1


def _panel_part(leave_outs: np.ndarray, factor: float) -> tuple[float, float]:
    return float(one_way_variance(leave_outs)) * factor**2, len(leave_outs) - 1


def _holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    return adjust_questions(primary=(), secondary=p_values).secondary


def _numbers(test: Comparison) -> dict[str, object]:
    names = ("estimate", "low", "high", "p_value", "minimal_effect", "n_runs", "n_controls", "status")
    return {name: getattr(test, name) for name in names} | {"reason": test.reason or None}
