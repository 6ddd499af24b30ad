"""From studies of runs and of the subject to rows: multiplicity, tiers reached, dates as steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rare_neurons.numerics.grid.jackknife import t_interval
from rare_neurons.numerics.grid.moments import signed_root

from .comparison import Comparison
from .history import SQUARES
from .multiplicity import adjust_questions
from .not_reached import why_not_reached
from .question import Question, Rule
from .rows import CourseRow, EvidenceRow, OfQuestion, OnsetRow, TurnRow
from .run_study import RunStudy
from .specific import SpecificEvidence
from .subject_study import SubjectStudy, majority
from .tiers import TIERS, ReachedTier, reach_tier


@dataclass(frozen=True)
class Asked:
    """One question with everything found about it.

    Attributes
    ----------
    question : Question
    runs, controls : mapping of str to RunStudy
        By model.
    subject : SubjectStudy
    specific : SpecificEvidence or None
        None where it is not asked.
    """

    question: Question
    runs: Mapping[str, RunStudy]
    controls: Mapping[str, RunStudy]
    subject: SubjectStudy
    specific: SpecificEvidence | None


P = Sequence[float | None]


def evidence_rows(subject: str, asked: Sequence[Asked], *, step: int | None, rule: Rule) -> list[EvidenceRow]:
    """One row per question, tier and (at tier `run`) run or control.

    Every run's questions are one family, and so are those of each later tier.

    Parameters
    ----------
    subject : str
    asked : sequence of Asked
        In declared order.
    step : int or None
        Declared checkpoint.
    rule : Rule
    """
    by_run = {
        model: _adjusted(asked, [side[model].p_value for side in _sides(asked, model)])
        for one in asked[:1]
        for model in (*one.runs, *one.controls)
    }
    seeds = _adjusted(asked, [_tested(one.subject.seeds) for one in asked])
    control = _adjusted(asked, [_tested(one.subject.control) for one in asked])
    specific = _specific(asked)
    rows = []
    for k, one in enumerate(asked):
        own = majority({model: by_run[model][k] for model in one.runs})
        p = {"run": own, "seeds": seeds[k], "beyond_control": control[k]}
        p |= {} if one.specific is None else {"specific": specific[k]}
        reached = reach_tier(p, reasons=_reasons(one), level=rule.level)
        alone = _alone(one)
        why = {t: why_not_reached(t, reached, p_values=alone, p_adjusted=p, level=rule.level) for t in p}
        rows += _of_question(subject, k, one, reached, {"by_run": by_run, "why": why, **p}, step=step, rule=rule)
    return rows


def _alone(one: Asked) -> dict[str, float | None]:
    """Return p of each tier before other questions are paid for."""
    found = {"run": majority({model: study.p_value for model, study in one.runs.items()})}
    found |= {"seeds": _tested(one.subject.seeds), "beyond_control": _tested(one.subject.control)}
    return found if one.specific is None else {**found, "specific": one.specific.p_value}


def _tested(test: Comparison) -> float | None:
    """p-value of a test; with one control there are numbers, and no test."""
    return test.p_value if test.status == "tested" else None


def _sides(asked: Sequence[Asked], model: str) -> list[Mapping[str, RunStudy]]:
    return [one.runs if model in one.runs else one.controls for one in asked]


def _adjusted(asked: Sequence[Asked], p: P) -> list[float | None]:
    primary = [k for k, one in enumerate(asked) if one.question.primary]
    secondary = [k for k, one in enumerate(asked) if not one.question.primary]
    # Not in order: neurons of one sign and of mixed signs are looked for at once, whether or not the loss changes.
    found = adjust_questions(primary=[p[k] for k in primary], secondary=[p[k] for k in secondary], in_order=False)
    values = dict(zip((*primary, *secondary), (*found.primary, *found.secondary), strict=True))
    return [values[k] for k in range(len(asked))]


def _specific(asked: Sequence[Asked]) -> list[float | None]:
    """Adjust tier `specific`: questions about one pair of strata ask it once."""
    pairs = {(one.question.stratum, one.question.against): one.specific.p_value for one in asked if one.specific}
    adjusted = adjust_questions(primary=(), secondary=list(pairs.values())).secondary
    found = dict(zip(pairs, adjusted, strict=True))
    return [found.get((one.question.stratum, one.question.against)) if one.specific else None for one in asked]


def _reasons(one: Asked) -> dict[str, str]:
    tests = {"seeds": one.subject.seeds, "beyond_control": one.subject.control}
    found = {tier: f"{tier}: {test.reason}" for tier, test in tests.items() if test.reason}
    untested = [study.reason for study in one.runs.values() if study.p_value is None]
    if untested:
        found["run"] = f"run: {untested[0]}"
    if one.specific is not None and one.specific.p_value is None:
        found["specific"] = f"specific: {one.specific.control.reason or one.specific.seeds.reason}"
    return found


def _of_question(
    subject: str, place: int, one: Asked, reached: ReachedTier, p: Mapping, *, step: int | None, rule: Rule
) -> Iterator[EvidenceRow]:
    height = TIERS.index(reached.tier) if reached.tier else -1
    about = {
        name: getattr(one.question, name) for name in ("table", "column", "stratum", "direction", "primary", "against")
    }
    about |= {"declared": place + 1, "question": one.question.name, "reached": reached.tier, "step": step}
    for role, side in (("run", one.runs), ("control", one.controls)):
        for model, study in side.items():
            adjusted = p["by_run"][model][place]
            holds = adjusted is not None and adjusted <= rule.level
            yield EvidenceRow(
                **about,
                **_run_columns(study, step, rule.confidence),
                run=model,
                role=role,
                p_adjusted=adjusted,
                holds=holds,
            )
    whole = {"run": subject, "role": "all"}
    tests = {"seeds": one.subject.seeds, "beyond_control": one.subject.control}
    for tier, test in tests.items():
        columns = _comparison_columns(test, tier, p[tier], p["why"][tier], one.subject.scale)
        yield EvidenceRow(**about, **whole, **columns, holds=TIERS.index(tier) <= height)
    if one.specific is not None:
        columns = _specific_columns(one.specific, p["specific"], p["why"]["specific"])
        yield EvidenceRow(**about, **whole, **columns, holds=height == TIERS.index("specific"))


def _run_columns(study: RunStudy, step: int | None, confidence: float) -> dict[str, object]:
    columns = {
        "tier": "run",
        "scale": "linear",
        "n_runs": 1,
        "n_controls": 0,
        "estimate": None,
        "low": None,
        "high": None,
    }
    if step in study.history.steps[1:]:
        found = t_interval(study.history.at(step) - study.history.values[0], confidence=confidence)
        columns |= {"estimate": found.value, "low": found.low, "high": found.high}
    status = "ok" if study.p_value is not None else study.status
    columns |= {"p_value": study.p_value, "minimal_effect": study.minimal_effect}
    return columns | {"status": status, "reason": study.reason or None}


_NUMBERS = ("estimate", "low", "high", "p_value", "minimal_effect", "n_runs", "n_controls")


def _comparison_columns(
    test: Comparison, tier: str, p_adjusted: float | None, why: str, scale: str
) -> dict[str, object]:
    columns = {name: getattr(test, name) for name in _NUMBERS}
    status = "ok" if test.status == "tested" else test.status
    return columns | {
        "tier": tier,
        "scale": scale,
        "p_adjusted": p_adjusted,
        "status": status,
        "reason": test.reason or why or None,
    }


def _specific_columns(found: SpecificEvidence, p_adjusted: float | None, why: str) -> dict[str, object]:
    """Numbers of the comparison with controls, and the p of all tests together, which decides."""
    columns = _comparison_columns(found.control, "specific", p_adjusted, why, "linear")
    reasons = [found.form_reason, str(columns["reason"] or "")]
    return columns | {
        "p_value": found.p_value,
        "scale": found.form,
        "n_runs": found.seeds.n_runs,
        "reason": "; ".join(r for r in reasons if r) or None,
    }


def onset_rows(subject: str, asked: Sequence[Asked], *, rule: Rule) -> list[OnsetRow]:
    """One row per question and run, control, or the subject."""
    rows = []
    for place, one in enumerate(asked):
        for about, study in _each(place, one):
            rows.append(OnsetRow(**vars(about), **_onset(study), fraction=rule.fraction, confidence=rule.confidence))
        about = OfQuestion(place + 1, one.question.name, subject, "all")
        rows.append(
            OnsetRow(**vars(about), **_seed_date(one.subject), fraction=rule.fraction, confidence=rule.confidence)
        )
    return rows


def _onset(study: RunStudy) -> dict[str, object]:
    places = ("after", "by", "crossed_after", "crossed_by", "peak")
    if study.onset is None:
        return dict.fromkeys((*places, "sign")) | {"status": study.status, "reason": study.reason or None}
    found = {name: getattr(study.onset, name) for name in places}
    dates = {name: None if index is None else study.history.steps[index] for name, index in found.items()}
    sign = study.evidence.sign if study.evidence else None
    return {**dates, "sign": sign, "status": study.onset.status, "reason": study.onset.reason or None}


def _seed_date(study: SubjectStudy) -> dict[str, object]:
    dates = {
        name: None if (index := getattr(study.date, name)) is None else study.steps[index] for name in ("after", "by")
    }
    status, reason = study.date.status, study.date.reason or None
    rest = dict.fromkeys(("crossed_after", "crossed_by", "peak"))
    return {**dates, **rest, "sign": study.sign, "status": status, "reason": reason}


def turn_rows(asked: Sequence[Asked]) -> list[TurnRow]:
    """One row per question, run or control, and rise or fall."""
    rows = []
    for place, one in enumerate(asked):
        for about, study in _each(place, one):
            steps = study.history.steps
            for turn, move in enumerate(study.moves, start=1):
                ends = {"start": steps[move.start], "end": steps[move.end]}
                rows.append(TurnRow(**vars(about), turn=turn, **ends, change=move.change, p_value=move.p_value))
    return rows


def course_rows(asked: Sequence[Asked], *, rule: Rule) -> list[CourseRow]:
    """One row per question, run or control, and checkpoint."""
    rows = []
    for place, one in enumerate(asked):
        root = signed_root if one.question.column in SQUARES else float
        for about, study in _each(place, one):
            for index, step in enumerate(study.history.steps):
                found = t_interval(study.history.values[index], confidence=rule.confidence)
                ends = {name: root(getattr(found, name)) for name in ("value", "low", "high")}
                rows.append(CourseRow(**vars(about), step=step, **ends))
    return rows


def _each(place: int, one: Asked) -> Iterator[tuple[OfQuestion, RunStudy]]:
    for role, side in (("run", one.runs), ("control", one.controls)):
        for model, study in side.items():
            yield OfQuestion(place + 1, one.question.name, model, role), study
