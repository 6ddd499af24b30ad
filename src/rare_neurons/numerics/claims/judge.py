"""All tiers of all questions about organisation and kinds, paid for together.

No single checkpoint's p is a claim: a run must show it at neighbouring declared checkpoints, and later tiers compare
runs, not checkpoints (docs/methods/organisation.md#claims).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from rare_neurons.numerics.evidence.comparison import Comparison, no_comparison
from rare_neurons.numerics.evidence.multiplicity import adjust_questions
from rare_neurons.numerics.evidence.not_reached import why_not_reached
from rare_neurons.numerics.evidence.question import Rule
from rare_neurons.numerics.evidence.subject_study import common_step, majority
from rare_neurons.numerics.evidence.tiers import TIERS, reach_tier

from .findings import Finding
from .over_runs import Tested, beyond_controls, over_runs
from .persistence import held_effect, held_p, windows_of
from .questions import FAMILIES, Asked
from .rows import START, ActivityEvidenceRow
from .specific import Pair, judge_specific


@dataclass(frozen=True)
class Subject:
    """Names of a subject, its runs and its controls."""

    name: str
    runs: Sequence[str]
    controls: Sequence[str]


def judge_activity(
    asked: Sequence[Asked], subject: Subject, *, rule: Rule, step: int | str = "last"
) -> list[ActivityEvidenceRow]:
    """Answer every question at every tier.

    Two families, organisation and kinds, have half of the level each; within a family primary questions come first
    and the others share what is left (`adjust_questions`). A tier counts only with those before it.

    Parameters
    ----------
    asked : sequence of Asked
        In declared order.
    subject : Subject
    rule : Rule
        `persistence` is the number of trained declared checkpoints in a row at which a run must show it.
    step : int or str
        Checkpoint at which runs are compared; ``last`` for the last that all of them have.
    """
    compared = _last_step(asked, subject) if step == "last" else int(step)
    alone = [{m: _alone(q, q.findings[m], rule) for m in _known(q, subject)} for q in asked]
    tests = [_tests(q, subject, compared, rule) for q in asked]
    paid_alone = {m: _paid(asked, [of.get(m) for of in alone]) for m in (*subject.runs, *subject.controls)}
    paid = {tier: _paid(asked, [of.get(tier) for of in tests]) for tier in (*TIERS[1:], START)}
    rows = []
    for k, question in enumerate(asked):
        p = {"run": majority(_one_way(question, {m: paid_alone[m][k] for m in subject.runs}, alone[k], rule))}
        p |= {tier: paid[tier][k] for tier in TIERS[1:] if tier in tests[k]}
        reasons = {
            tier: f"{tier}: {test.comparison.reason}" for tier, test in tests[k].items() if test.comparison.reason
        }
        climb = reach_tier(p, reasons=reasons, level=rule.level)
        reached = climb.tier
        single = {"run": majority({m: alone[k][m].p_value if m in alone[k] else None for m in subject.runs})}
        single |= {tier: tests[k][tier].p_value for tier in TIERS[1:] if tier in tests[k]}
        why = {tier: why_not_reached(tier, climb, p_values=single, p_adjusted=p, level=rule.level) for tier in p}
        about = _about(question, k + 1, reached)
        for model, found in alone[k].items():
            own = paid_alone[model][k]
            role = "run" if model in subject.runs else "control"
            last = question.findings[model][-1].step if question.findings[model] else None
            place = {"run": model, "role": role, "tier": "run", "step": last, "holds": _below(own, rule)}
            rows.append(ActivityEvidenceRow(**about, **place, **_numbers(found), p_adjusted=own))
        for tier, found in tests[k].items():
            own = paid[tier][k]
            in_reach = reached is not None and tier in TIERS and TIERS.index(tier) <= TIERS.index(reached)
            holds = _below(own, rule) if tier == START else in_reach
            place = {"run": subject.name, "role": "all", "tier": tier, "step": 0 if tier == START else compared}
            numbers = _numbers(found)
            numbers["reason"] = numbers["reason"] or why.get(tier) or None
            told = about | {"unit": found.unit or question.unit}
            rows.append(ActivityEvidenceRow(**told, **place, **numbers, p_adjusted=own, holds=holds))
    return rows


def _one_way(
    question: Asked, p_values: Mapping[str, float | None], alone: Mapping[str, Tested], rule: Rule
) -> dict[str, float | None]:
    """Let the runs count that go the more frequent way: some up and some down are no finding of the subject."""
    if question.direction != "either":
        return dict(p_values)
    ways = {m: np.sign(alone[m].comparison.estimate or 0.0) for m in p_values if m in alone}
    holding = [ways[m] for m, p in p_values.items() if m in ways and _below(p, rule)]
    way = max((1.0, -1.0), key=holding.count)
    return {m: 1.0 if p is not None and ways.get(m) == -way else p for m, p in p_values.items()}


def _last_step(asked: Sequence[Asked], subject: Subject) -> int | None:
    """Last checkpoint of all runs that have any: where they are compared."""
    steps = [
        {one.step for q in asked for one in q.findings.get(m, ()) if one.step > 0}
        for m in (*subject.runs, *subject.controls)
    ]
    return common_step([of_run for of_run in steps if of_run], "last")


def _known(question: Asked, subject: Subject) -> list[str]:
    return [m for m in (*subject.runs, *subject.controls) if m in question.findings]


def _alone(question: Asked, findings: Sequence[Finding], rule: Rule) -> Tested:
    """One run: its effect at the last checkpoint, and the p over all of them."""
    p_value = held_p(findings, persistence=rule.persistence, direction=question.direction)
    last = findings[-1] if findings else Finding(0, reason="no checkpoint was measured")
    smallest = held_effect(
        findings,
        persistence=rule.persistence,
        direction=question.direction,
        level=rule.level / len(FAMILIES),
        power=rule.power,
    )
    if last.beyond is None:
        untested = no_comparison(n_runs=1, n_controls=0, status="not_identifiable", reason=last.reason or "")
        return Tested(untested, None, p_value)
    half = float(ndtri((1 + rule.confidence) / 2)) * last.spread
    numbers = (last.beyond, last.beyond - half, last.beyond + half, last.spread, None)
    status, reason = "tested", ""
    if not windows_of(findings, rule.persistence):
        status = "too_few_checkpoints"
        reason = f"no {rule.persistence} trained declared checkpoints in a row were tested; one alone makes no claim"
    return Tested(Comparison(*numbers, p_value, smallest, 1, 0, status, reason), last.placebo, p_value)


def _tests(question: Asked, subject: Subject, step: int | None, rule: Rule) -> dict[str, Tested]:
    decision = rule.decision(question.direction)
    at = {when: _sides(question.findings, subject, when) for when in (0, step)}
    seeds, control = over_runs(at[step][0], decision=decision), beyond_controls(*at[step], decision=decision)
    ends = seeds.comparison.estimate, control.estimate
    if None not in ends and ends[0] * ends[1] < 0:
        # Controls that go further the same way are no evidence that the runs go beyond them.
        control = replace(control, p_value=1.0, reason="controls go further the same way")
    found: dict[str, Tested] = {
        "seeds": seeds,
        "beyond_control": Tested(control, None, control.p_value),
    }
    if question.others:
        found["specific"] = _specific(question, subject, step, rule)
    if any(one.beyond is not None for one in at[0][0]):
        found[START] = over_runs(at[0][0], decision=decision)
    return found


def _specific(question: Asked, subject: Subject, step: int | None, rule: Rule) -> Tested:
    """More on this stratum than on the other: over runs, and in runs more than in controls."""
    strata = [_sides(found, subject, step) for found in (question.findings, question.others)]
    runs, controls = ([Pair(a, b) for a, b in zip(*sides, strict=True)] for sides in zip(*strata, strict=True))
    return judge_specific(runs, controls, decision=rule.decision("rise"))


def _sides(findings: Mapping[str, Sequence[Finding]], subject: Subject, step: int | None) -> list[list[Finding]]:
    """Return what runs and controls say at one checkpoint."""
    none = Finding(-1, reason=f"step {step} is not among its good declared checkpoints")
    sides = (subject.runs, subject.controls)
    return [[next((o for o in findings.get(m, ()) if o.step == step), none) for m in side] for side in sides]


def _paid(asked: Sequence[Asked], tests: Sequence[Tested | None]) -> list[float | None]:
    """Adjust the p of all questions of one tier, or one run, in the order asked."""
    paid: list[float | None] = [None] * len(asked)
    p_values = [None if test is None else test.p_value for test in tests]
    for family in FAMILIES:
        # A question that this tier does not ask (joint ablation is not `specific`) stops no other.
        members = [k for k, q in enumerate(asked) if q.family == family and tests[k] is not None]
        order = [[k for k in members if asked[k].primary == primary] for primary in (True, False)]
        found = adjust_questions(primary=[p_values[k] for k in order[0]], secondary=[p_values[k] for k in order[1]])
        for k, p in zip((*order[0], *order[1]), (*found.primary, *found.secondary), strict=True):
            paid[k] = None if p is None else min(1.0, p * len(FAMILIES))
    return paid


def _below(p_value: float | None, rule: Rule) -> bool:
    return p_value is not None and p_value <= rule.level


def _about(question: Asked, declared: int, reached: str | None) -> dict[str, object]:
    names = ("question", "stratum", "sign", "family", "primary", "unit")
    return {name: getattr(question, name) for name in names} | {"declared": declared, "reached": reached}


def _numbers(test: Tested) -> dict[str, object]:
    names = ("estimate", "low", "high", "minimal_effect", "n_runs", "n_controls", "status")
    numbers = {name: getattr(test.comparison, name) for name in names}
    decided = {"p_value": test.p_value, "placebo_estimate": test.placebo}
    return numbers | decided | {"reason": test.comparison.reason or None}
