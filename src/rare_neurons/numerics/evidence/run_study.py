"""Everything that is said of one run alone: change, date, turns, and what would have been found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rare_neurons.numerics.grid.jackknife import standard_error

from .history import History
from .minimal_effect import run_effect
from .noise_draws import NoiseDraws
from .onset_date import OnsetDate, date_onset
from .question import Question, Rule
from .run import RunEvidence, detect_change
from .turns import Move, find_moves

TURN_DRAWS = 1999
"""Turns compare all pairs of checkpoints in every draw; p = 0.05 then has a standard error of 0.005."""


@dataclass(frozen=True)
class RunStudy:
    """Tier `run` of one statistic of one run.

    Attributes
    ----------
    history : History
    evidence : RunEvidence or None
        None where there are too few checkpoints.
    onset : OnsetDate or None
        None where no change is found.
    moves : tuple of Move
    minimal_effect : float or None
        Abrupt change from the middle checkpoint on that would be found with the power asked; None where it is found,
        or has no noise to be compared with.
    status, reason : str
        As in `RunEvidence`, or ``too_few_checkpoints``.
    """

    history: History
    evidence: RunEvidence | None
    onset: OnsetDate | None
    moves: tuple[Move, ...]
    minimal_effect: float | None
    status: str
    reason: str

    @property
    def p_value(self) -> float | None:
        """Before adjustment; None where nothing was tested."""
        return None if self.evidence is None else self.evidence.p_value


def study_run(history: History, question: Question, *, rule: Rule, noise: NoiseDraws) -> RunStudy:
    """Apply tier `run`.

    Parameters
    ----------
    history : History
    question : Question
    rule : Rule
    noise : NoiseDraws
        The same for all statistics of the run.
    """
    series, n = history.values, len(history.steps)
    if n <= rule.persistence:
        reason = f"{n} good checkpoints, but a change that is held for {rule.persistence} needs {rule.persistence + 1}"
        return RunStudy(history, None, None, (), None, "too_few_checkpoints", reason)
    found = detect_change(
        series, noise=noise, persistence=rule.persistence, level=rule.level, direction=question.direction
    )
    turns = NoiseDraws(noise.normal[:TURN_DRAWS], noise.scale[:TURN_DRAWS])
    moves = find_moves(series, noise=turns, level=rule.level)
    onset = None
    if found.sign is not None:
        onset = date_onset(
            series,
            sign=found.sign,
            noise=noise,
            persistence=rule.persistence,
            fraction=rule.fraction,
            confidence=rule.confidence,
        )
    smallest = None if found.status != "no_change" else _smallest(history, found, rule, noise)
    return RunStudy(history, found, onset, moves, smallest, found.status, found.reason)


def _smallest(history: History, found: RunEvidence, rule: Rule, noise: NoiseDraws) -> float | None:
    first = min(max(1, len(history.steps) // 2), len(history.steps) - rule.persistence)
    later = standard_error(history.values[first:] - history.values[:1])
    if found.critical_value is None or not np.all(later > 0):
        return None
    return run_effect(
        history.values,
        noise=noise,
        critical_value=found.critical_value,
        first=first,
        persistence=rule.persistence,
        power=rule.power,
    )
