"""What is said of all runs together: beyond one run, beyond controls, and about rare tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rare_neurons.numerics.grid.leave_outs import LeaveOuts, stack

from .beyond_control import judge_beyond_control
from .comparison import Comparison, no_comparison
from .history import SQUARES, History
from .question import Question, Rule
from .run_study import RunStudy
from .seeds import MIN_RUNS, SeedDate, change_between, date_over_seeds, judge_seeds, log_or_linear


@dataclass(frozen=True)
class SubjectStudy:
    """Tiers `seeds` and `beyond_control` of one statistic.

    Attributes
    ----------
    scale : str
        ``log`` (changes are differences of logarithms) or ``linear``.
    seeds, control : Comparison
    date : SeedDate
        In indices of `steps`.
    steps : tuple of int
        All checkpoints of the runs.
    sign : int or None
        Direction in which all dated runs change.
    """

    scale: str
    seeds: Comparison
    control: Comparison
    date: SeedDate
    steps: tuple[int, ...]
    sign: int | None


def study_subject(
    question: Question,
    *,
    runs: Sequence[RunStudy],
    controls: Sequence[RunStudy],
    step: int | None,
    rule: Rule,
) -> SubjectStudy:
    """Compare changes since the first checkpoint at the declared step.

    Parameters
    ----------
    question : Question
    runs, controls : sequence of RunStudy
    step : int or None
        Declared checkpoint; None where the runs have none in common.
    rule : Rule
    """
    date, steps, sign = _date(runs, rule)
    if step is None:
        none = no_comparison(
            n_runs=len(runs),
            n_controls=len(controls),
            status="undefined",
            reason="the runs have no good step in common",
        )
        return SubjectStudy("linear", none, none, date, steps, sign)
    histories = [[study.history for study in side] for side in (runs, controls)]
    # A mean square below zero, and anything that may change sign, has no logarithm: one scale for all.
    ends = [end for side in histories for h in side for end in (h.at(step), h.values[0])]
    scale = "linear" if question.column in SQUARES else log_or_linear(ends)
    own, other = ([_change(h, step, scale) for h in side] for side in histories)
    decision = rule.decision(question.direction)
    empty = stack(own)[:0]
    return SubjectStudy(
        scale,
        judge_seeds(stack(own), decision=decision),
        judge_beyond_control(stack(own), stack(other) if other else empty, decision=decision),
        date,
        steps,
        sign,
    )


def declared_step(histories: Sequence[History], wanted: int | str) -> int | None:
    """Checkpoint at which runs are compared: the one asked for, or the last that all of them have (``last``).

    Returns
    -------
    int or None
        None where they have none in common after their first ones, or not the one asked for.
    """
    return common_step([h.steps[1:] for h in histories], wanted)


def common_step(steps: Sequence[Iterable[int]], wanted: int | str) -> int | None:
    """Step among those of every run: the one asked for, or the last (``last``); None where there is no such step."""
    common = set.intersection(*map(set, steps)) if steps else set()
    if wanted == "last":
        return max(common, default=None)
    return int(wanted) if int(wanted) in common else None


def majority(p_values: Mapping[str, float | None]) -> float | None:
    """p-value that more than half of the runs are at or below; None where that many were not tested."""
    ordered = sorted(np.inf if p is None else p for p in p_values.values())
    middle = ordered[len(ordered) // 2]
    return None if np.isinf(middle) else float(middle)


def _change(history: History, step: int, scale: str) -> LeaveOuts:
    return change_between(history.at(step), history.values[0], scale=scale)


def _date(runs: Sequence[RunStudy], rule: Rule) -> tuple[SeedDate, tuple[int, ...], int | None]:
    steps = tuple(sorted({step for run in runs for step in run.history.steps}))
    signs = {run.evidence.sign for run in runs if run.evidence is not None}
    if len(runs) < MIN_RUNS:
        reason = f"{len(runs)} runs, but a date for other seeds needs {MIN_RUNS}"
        return SeedDate(None, None, "too_few_runs", reason), steps, None
    crossed = [
        None
        if run.onset is None or run.onset.crossed_by is None
        else steps.index(run.history.steps[run.onset.crossed_by])
        for run in runs
    ]
    dated = [index for index in crossed if index is not None]
    if len(dated) < len(runs) or len(signs) > 1:
        reason = (
            f"{len(dated)} of {len(runs)} runs are dated"
            if len(dated) < len(runs)
            else "runs change in both directions"
        )
        return SeedDate(None, None, "not_dated", reason), steps, None
    return date_over_seeds(dated, n_steps=len(steps), confidence=rule.confidence), steps, signs.pop()
