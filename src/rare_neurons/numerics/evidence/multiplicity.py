"""One adjusted p-value for questions that were declared in an order before looking."""

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
        In [0, 1]; ``None`` where a question could not be asked. A primary question that could not be asked stops
        those declared after it: they are 1.
    """

    primary: tuple[float | None, ...]
    secondary: tuple[float | None, ...]


def adjust_questions(
    *, primary: Sequence[float | None], secondary: Sequence[float | None] = (), primary_share: float = PRIMARY_SHARE
) -> AdjustedQuestions:
    """Adjust the p-values of one family of questions.

    Primary questions are tested in declared order, each at 0.8 of the level, while all before hold:
    ``p_j = max_{i ≤ j} p_i / 0.8``. Secondary ones share the remaining 0.2 by Holm (1979) and get the whole level once
    all primary ones hold: ``min(Holm / 0.2, max(Holm, last primary))`` (a graphical procedure, Bretz et al. 2009).
    Without primary questions the secondary ones are plain Holm.

    Parameters
    ----------
    primary, secondary : sequence of float or None
        Raw p-values; ``None`` was not a test.
    primary_share : float
        In (0, 1).

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
    """
    if not 0 < primary_share < 1:
        raise ValueError(f"primary_share={primary_share}, but it must lie in (0, 1)")
    given = [p for p in (*primary, *secondary) if p is not None]
    if not all(0 <= p <= 1 for p in given):
        raise ValueError(f"p-values must lie in [0, 1], got {[p for p in given if not 0 <= p <= 1]}")
    ordered: list[float | None] = []
    worst = 0.0
    for p in primary:
        worst = max(worst, 1.0 if p is None else min(1.0, p / primary_share))
        ordered.append(None if p is None else worst)
    gate = worst if primary else 0.0
    rest = [None if p is None else float(min(1.0, p / (1 - primary_share), max(p, gate))) for p in _holm(secondary)]
    return AdjustedQuestions(tuple(ordered), tuple(rest))


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
