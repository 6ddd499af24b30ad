"""One adjusted p-value for questions that were declared before looking, primary and secondary ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PRIMARY_SHARE = 0.8
"""Share of the level for the primary questions: 0.04 of 0.05; the rest is the secondary questions' own."""


@dataclass(frozen=True, slots=True)
class AdjustedQuestions:
    """Adjusted p-values in the order given; compare each with the level itself.

    Attributes
    ----------
    primary, secondary : tuple of float or None
        In [0, 1]; ``None`` where a question could not be asked. In order, a primary question that could not be asked
        stops those declared after it: they are 1.
    """

    primary: tuple[float | None, ...]
    secondary: tuple[float | None, ...]


def adjust_questions(
    *,
    primary: Sequence[float | None],
    secondary: Sequence[float | None] = (),
    primary_share: float = PRIMARY_SHARE,
    in_order: bool = True,
) -> AdjustedQuestions:
    """Adjust the p-values of one family of questions.

    Primary questions have 0.8 of the level: in declared order each has all of it while all before hold,
    ``p_j = max_{i ≤ j} p_i / 0.8``, else they share it by Holm (1979), ``p_j = Holm / 0.8``. Secondary ones share the
    remaining 0.2 by Holm and get the whole level once all primary ones hold:
    ``min(Holm / 0.2, max(Holm, largest primary))`` (graphical procedures, Bretz et al. 2009). Without primary questions
    the secondary ones are plain Holm.

    Parameters
    ----------
    primary, secondary : sequence of float or None
        Raw p-values; ``None`` was not a test.
    primary_share : float
        In (0, 1).
    in_order : bool
        Whether primary questions are tested one after the other, or pay for each other.

    Returns
    -------
    AdjustedQuestions

    Raises
    ------
    ValueError
        If a p-value lies outside [0, 1] or the share outside (0, 1).

    Examples
    --------
    >>> found = adjust_questions(primary=[0.02, 0.04, 0.001], secondary=[0.03, 0.2])
    >>> [round(p, 3) for p in found.primary], found.secondary
    ([0.025, 0.05, 0.05], (0.06, 0.2))
    >>> [round(p, 3) for p in adjust_questions(primary=[0.02, 0.03, 0.001], in_order=False).primary]
    [0.05, 0.05, 0.004]
    """
    if not 0 < primary_share < 1:
        raise ValueError(f"primary_share={primary_share}, but it must lie in (0, 1)")
    given = [p for p in (*primary, *secondary) if p is not None]
    if not all(0 <= p <= 1 for p in given):
        raise ValueError(f"p-values must lie in [0, 1], got {[p for p in given if not 0 <= p <= 1]}")
    first = _in_order(primary) if in_order else _holm(primary)
    first = [None if p is None else min(1.0, p / primary_share) for p in first]
    gate = max((1.0 if p is None else p for p in first), default=0.0)
    rest = [None if p is None else float(min(1.0, p / (1 - primary_share), max(p, gate))) for p in _holm(secondary)]
    return AdjustedQuestions(tuple(first), tuple(rest))


def _in_order(p_values: Sequence[float | None]) -> list[float | None]:
    """Largest p-value up to each question; one that was not tested stops those after it."""
    reached = np.maximum.accumulate([1.0 if p is None else p for p in p_values])
    return [None if p is None else float(worst) for p, worst in zip(p_values, reached, strict=True)]


def _holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down p-values of those that were tested."""
    asked = [k for k, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    given = np.array([p_values[k] for k in asked], dtype=np.float64)
    order = np.argsort(given, kind="stable")
    steps = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    for rank, p in zip(order, steps, strict=True):
        adjusted[asked[rank]] = float(min(1.0, p))
    return adjusted
