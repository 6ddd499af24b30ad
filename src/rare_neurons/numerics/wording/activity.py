"""What is said of organisation and of kinds of neurons, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from rare_neurons.numerics.claims.questions import KINDS, ROUTING, SCORE, SHARE
from rare_neurons.numerics.claims.rows import START, ActivityEvidenceRow

from .phrases import enumerated, interval, probability

_FURTHER = {
    "run": "found at neighbouring checkpoints of these runs alone, and the size is that at the last",
    "seeds": "it holds for other seeds",
    "beyond_control": "it holds for other seeds and goes beyond that of the controls",
    "specific": "it holds for other seeds, goes beyond that of the controls, and is more than on the other stratum",
}
OPEN = "Not reached is no absence: effects below these sizes stay open, and what larger networks show does too."
Rows = Sequence[ActivityEvidenceRow]


def describe_activity(rows: Rows) -> list[str]:
    """Sentences about sets of any sign, about sets of one sign where something is reached, and about kinds.

    Parameters
    ----------
    rows : sequence of ActivityEvidenceRow
        Of one subject and panel.
    """
    by_question: dict[int, list[ActivityEvidenceRow]] = {}
    for row in rows:
        by_question.setdefault(row.declared, []).append(row)
    sets = [mine for _, mine in sorted(by_question.items()) if mine[0].family != KINDS]
    kinds = [mine for _, mine in sorted(by_question.items()) if mine[0].family == KINDS]
    sentences = [_of_set(mine) for mine in sets if mine[0].sign == "all" or mine[0].reached is not None]
    silent = [mine for mine in sets if mine[0].sign != "all" and mine[0].reached is None]
    if silent:
        names = list(dict.fromkeys(f"{mine[0].question} of {mine[0].sign} sets" for mine in silent))
        sentences.append(f"Not reached either: {enumerated(names)}.")
    sentences += _of_kinds(kinds)
    return [*sentences, OPEN] if any(mine[0].reached is None for mine in by_question.values()) else sentences


def _of_set(rows: Rows) -> str:
    first = rows[0]
    begin = f"{first.question.capitalize()}, {first.stratum} tokens"
    if first.sign != "all":
        begin += f", {first.sign} set"
    told = _told(rows)
    if told is None:
        return f"{begin}: not judged ({first.reason or 'no checkpoint tells the set from its like'})."
    if told.unit == SCORE:
        size = f"normal score of the furthest head {told.estimate:+.2g} (0 by chance)"
    else:
        size = f"{told.estimate:+.2g} {_interval(told)} {told.unit} beyond matched sets"
    if told.placebo_estimate is not None:
        size += f", {told.placebo_estimate:+.2g} beyond the placebo"
    if first.reached is not None:
        return f"{begin}: {size}; {_FURTHER[first.reached]}{_at_start(rows)}."
    why = _p(told) if told.role == "run" or told.reason is None else f" ({told.reason})"
    return f"{begin}: {size}; no claim{why}{_would_have(told)}."


def _of_kinds(kinds: Sequence[Rows]) -> list[str]:
    found = [mine for mine in kinds if mine[0].reached is not None]
    sentences = []
    for mine in found:
        told = _told(mine)
        size = "" if told is None else f" by {100 * told.estimate:+.2g} % of the neurons"
        sentences.append(f"{_kind(mine).capitalize()} neurons, more than at step 0{size}; {_FURTHER[mine[0].reached]}.")
    rest = [mine for mine in kinds if mine[0].reached is None]
    if rest:
        sizes = [row.minimal_effect for mine in rest for row in mine if row.role == "run"]
        sizes = [size for size in sizes if size is not None]
        found = "of the neurons would be found in one run if nothing else were asked"
        bound = f"; a rise by {100 * max(sizes):.2g} % {found}" if sizes else ""
        names = enumerated([_kind(mine) for mine in rest])
        sentences.append(f"Kinds of neurons that are not told to be more than at step 0: {names}{bound}.")
    return sentences


def _kind(rows: Rows) -> str:
    return rows[0].question.partition(": ")[2].replace("_", " ")


def _told(rows: Rows) -> ActivityEvidenceRow | None:
    """Row over runs, or that of the first run where there is none."""
    over = next((row for row in rows if row.tier == "seeds" and row.estimate is not None), None)
    return over or next((row for row in rows if row.role == "run" and row.estimate is not None), None)


def _interval(row: ActivityEvidenceRow) -> str:
    return interval(row.low, row.high, scale="linear")


def _p(row: ActivityEvidenceRow) -> str:
    return "" if row.p_adjusted is None else f" ({probability(row.p_adjusted)} paid for)"


def _would_have(row: ActivityEvidenceRow) -> str:
    if row.minimal_effect is None or row.unit in (SCORE, SHARE) or row.question == ROUTING:
        return ""
    return f", {row.minimal_effect:.2g} would have been found if asked alone"


def _at_start(rows: Rows) -> str:
    return ", and at step 0 too" if any(row.tier == START and row.holds for row in rows) else ""
