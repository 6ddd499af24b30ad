"""What the tables of evidence say, in sentences that claim no more than they do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rare_neurons.numerics.evidence.rows import EvidenceRow, OnsetRow, TurnRow

from .phrases import after_and_by, count, enumerated, interval, of_controls, of_runs, probability, several, size
from .shared_moves import shared_moves
from .standing import UNTESTED, Standing, first_reason, why_untested

_MOVES = {1: "rises", -1: "falls", None: "changes"}
_NOUNS = {1: "rise", -1: "fall", None: "change"}
_GAINED = "the mean square gained there"


def describe(standing: Standing, onsets: Sequence[OnsetRow], turns: Sequence[TurnRow], *, unit: str) -> list[str]:
    """Say what is known of one question: what moves and when, and how far beyond this run it is known to hold.

    Each tier has its sentences; after the first that is not reached comes the reason and, where there is one, the
    change that would have been found. Of a subject with one run only tier `run` is said.

    Parameters
    ----------
    standing : Standing
    onsets, turns : sequence of OnsetRow, TurnRow
        Of the same subject and panel; those of other questions are left out.
    unit : str
        Of the statistic.

    Returns
    -------
    list of str
        Sentences.
    """
    onsets, turns = ([row for row in rows if row.question == standing.question] for rows in (onsets, turns))
    if not standing.holds("run"):
        return _no_change(standing, standing.unit("run", unit))
    sentences = [_what_moves(standing, onsets, turns), *_date(standing, onsets)]
    if len(standing.runs) == 1:
        return sentences
    for tier, holds, fails in (
        ("seeds", _seeds_hold, _seeds_fail),
        ("beyond_control", _control_holds, _control_fails),
        ("specific", _specific_holds, _specific_fails),
    ):
        row = standing.beyond.get(tier)
        if row is None:
            return sentences
        of_tier = standing.unit(tier, unit)
        if not row.holds:
            return [*sentences, *fails(standing, row, of_tier)]
        sentences += holds(row, of_tier)
        sentences += _date_of_seeds(onsets) if tier == "seeds" else []
    return sentences


def _name(standing: Standing) -> str:
    """Name of the question as a grammatical subject."""
    name = standing.question[:1].upper() + standing.question[1:]
    return f"{name}," if "," in name else name


def _no_change(standing: Standing, unit: str) -> list[str]:
    p, name = standing.p_value("run"), _name(standing).rstrip(",")
    untested = [row for row in standing.runs if row.p_adjusted is None]
    if p is None:
        reason = next((row.reason for row in untested if row.reason), UNTESTED[True])
        return [f"{name} cannot be judged: {reason}."]
    n, k = len(standing.runs), len(standing.found)
    if k:
        first = f"{name}: a change is found in only {of_runs(k, n)} ({probability(p)}); more than half must show it."
    else:
        where = {1: "the one run", 2: "either run"}.get(n, f"any of the {several(n, 'run')}")
        first = f"{name}: no change is found in {where} ({probability(p)})."
    missed = [row.minimal_effect for row in standing.runs if not row.holds and row.minimal_effect is not None]
    return [first, *_would_have(max(missed, default=None), "linear", unit)]


def _would_have(smallest: float | None, scale: str, unit: str, what: str = "A change") -> list[str]:
    if smallest is None:
        return []
    return [f"{what} by {size(smallest, scale=scale, unit=unit)} would have been found in four of five cases."]


def _what_moves(standing: Standing, onsets: Sequence[OnsetRow], turns: Sequence[TurnRow]) -> str:
    controls = [row.run for row in standing.controls]
    moves = shared_moves(turns, runs=standing.found, controls=controls, least=standing.needed)
    n, p = len(standing.runs), probability(standing.p_value("run"))
    if not moves:
        sign = _common_sign(onsets, standing.found)
        alike = [
            row.run for row in onsets if row.role == "control" and row.sign is not None and sign in (None, row.sign)
        ]
        alike += [row.run for row in standing.controls if row.holds and sign is None]
        where = _where(len(standing.found), n, len(set(alike)), len(controls))
        return f"{_name(standing)} {_MOVES[sign]}{f': found {where}' if where else ''} ({p})."
    parts = [f"{_MOVES[move.sign]} from step {move.start:,} to {move.end:,}" for move in moves]
    places = [_where(len(move.runs), n, len(move.controls), len(controls)) for move in moves]
    if len(set(places)) == 1:
        return f"{_name(standing)} {enumerated(parts)}{f': found {places[0]}' if places[0] else ''} ({p})."
    parts = [f"{part} (found {place})" for part, place in zip(parts, places, strict=True)]
    return f"{_name(standing)} {enumerated(parts)}; {p}."


def _where(k: int, n: int, k_controls: int, n_controls: int) -> str:
    """In how many runs and controls; empty for one run alone."""
    if n == 1 and not n_controls:
        return ""
    runs = f"in {of_runs(k, n)}"
    if not n_controls:
        return runs
    link = " but" if k_controls == 0 and n_controls == 1 else " and"
    return f"{runs}{link} {of_controls(k_controls, n_controls)}"


def _common_sign(onsets: Sequence[OnsetRow], runs: Sequence[str]) -> int | None:
    """Direction that all of these runs have in common."""
    signs = {row.sign for row in onsets if row.role == "run" and row.run in runs}
    return signs.pop() if len(signs) == 1 else None


def _date(standing: Standing, onsets: Sequence[OnsetRow]) -> list[str]:
    """Interval that contains those of all dated runs."""
    dated = [row for row in onsets if row.role == "run" and row.run in standing.found and row.status == "dated"]
    if not dated:
        return []
    noun = _NOUNS[_common_sign(dated, [row.run for row in dated])]
    when = after_and_by(min(row.after for row in dated), max(row.by for row in dated))
    where = "" if len(standing.runs) == 1 else f", in {of_runs(len(dated), len(standing.runs))}"
    return [f"{_share(dated[0])} of the {noun} is reached {when}{where}."]


def _share(row: OnsetRow) -> str:
    return "Half" if row.fraction == 0.5 else f"{row.fraction:.0%}"


def _seeds_hold(row: EvidenceRow, unit: str) -> list[str]:
    noun = _NOUNS[1 if row.estimate > 0 else -1]
    if row.scale == "log":
        amount = f"to {np.exp(row.estimate):.3g} {interval(row.low, row.high, scale='log')} of the first value"
    else:
        amount = f"by {_amount(row, unit)}"
    return [
        f"Other seeds would show a {noun}: {amount} on average by step {row.step:,} ({probability(row.p_adjusted)})."
    ]


def _amount(row: EvidenceRow, unit: str) -> str:
    """Size of a linear change with its interval, in the direction of the estimate."""
    sign = 1 if row.estimate > 0 else -1
    ends = sorted((sign * row.low, sign * row.high))
    return f"{sign * row.estimate:.2g} {interval(*ends, scale='linear', signed=False)} {unit}".rstrip()


def _date_of_seeds(onsets: Sequence[OnsetRow]) -> list[str]:
    found = [row for row in onsets if row.role == "all" and row.after is not None]
    return [
        f"{_share(row)} of the {_NOUNS[row.sign]} is reached, on average over seeds, {after_and_by(row.after, row.by)}."
        for row in found
    ]


def _seeds_fail(standing: Standing, row: EvidenceRow, unit: str) -> list[str]:
    if row.p_adjusted is None:
        return [f"What other seeds would show is not judged: {_untested(row)}."]
    first = f"That other seeds would have changed by step {row.step:,} is not shown ({probability(row.p_adjusted)})."
    return [first, *_would_have(row.minimal_effect, row.scale, unit)]


def _untested(row: EvidenceRow) -> str:
    return why_untested(row.reason or UNTESTED[False])


def _reason(row: EvidenceRow) -> str:
    return first_reason(row.reason or UNTESTED[False])


def _control_holds(row: EvidenceRow, unit: str) -> list[str]:
    if row.scale == "log":
        ends = interval(row.low, row.high, scale="log")
        amount = f"relative to the first value it is {np.exp(row.estimate):.3g} {ends} times theirs"
    else:
        amount = f"its change is {_amount(row, unit)} {'above' if row.estimate > 0 else 'below'} theirs"
    return [f"It goes beyond the controls: {amount} at step {row.step:,} ({probability(row.p_adjusted)})."]


def _control_fails(standing: Standing, row: EvidenceRow, unit: str) -> list[str]:
    if row.p_adjusted is None:
        return [f"Whether controls do the same is not judged: {_untested(row)}."]
    changed = sum(control.holds for control in standing.controls)
    alike = f"; {count(changed)} of {several(len(standing.controls), 'control')} changed too" if changed else ""
    first = f"More than controls do is not shown at step {row.step:,} ({probability(row.p_adjusted)}){alike}."
    return [first, *_would_have(row.minimal_effect, row.scale, unit, "A difference")]


def _specific_holds(row: EvidenceRow, unit: str) -> list[str]:
    p = probability(row.p_adjusted)
    if row.scale == "log":
        ends = interval(row.low, row.high, scale="log")
        ratio = f"{np.exp(row.estimate):.3g} {ends} times that of the controls ({p})"
        over = f"influence on them over that on {row.against} ones, beyond a placebo,"
        return [f"It is about {row.stratum} tokens: {over} is {ratio}."]
    if row.scale == "share":
        share = f"{row.estimate:.2g} {interval(row.low, row.high, scale='share', signed=False)}"
        beyond = f"more than goes with {row.against} ones and with the controls"
        first = f"It is about {row.stratum} tokens: {share} of {_GAINED} is {beyond} ({p})."
        return [first, f"In this, {_reason(row)}."]
    more = "more" if row.estimate > 0 else "less"
    first = f"It is {more} on {row.stratum} tokens, beyond a placebo and the controls, by {_amount(row, unit)} ({p})."
    return [first, f"Whether it is {more} than in proportion is not known: {_reason(row)}."]


def _specific_fails(standing: Standing, row: EvidenceRow, unit: str) -> list[str]:
    if row.p_adjusted is None:
        return [f"Whether it is about {row.stratum} tokens is not judged: {_untested(row)}."]
    first = f"That it is about {row.stratum} tokens in particular is not shown ({probability(row.p_adjusted)})."
    why = [f"In this, {_reason(row)}."] if row.scale != "log" and row.reason else []
    unit = f"of {_GAINED}" if row.scale == "share" else unit
    return [first, *why, *_would_have(row.minimal_effect, row.scale, unit, "A difference")]
