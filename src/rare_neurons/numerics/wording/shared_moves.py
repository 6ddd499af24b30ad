"""Rises and falls that several runs share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rare_neurons.numerics.evidence.rows import TurnRow


@dataclass(frozen=True)
class SharedMove:
    """Checkpoints between which enough runs move in one direction.

    Attributes
    ----------
    sign : int
        1 for a rise, −1 for a fall.
    start, end : int
        Steps.
    runs, controls : tuple of str
        Those with a turn of that sign that overlaps the steps.
    """

    sign: int
    start: int
    end: int
    runs: tuple[str, ...]
    controls: tuple[str, ...]


def shared_moves(
    turns: Sequence[TurnRow], *, runs: Collection[str], controls: Collection[str] = (), least: int = 1
) -> list[SharedMove]:
    """Find the longest stretches of steps in which at least `least` runs move in the same direction.

    Parameters
    ----------
    turns : sequence of TurnRow
        Of one question.
    runs, controls : collection of str
        Only runs decide where a stretch is; controls are counted in it.
    least : int

    Returns
    -------
    list of SharedMove
        By start. With `least` above half of the runs no two overlap, since the turns of one run do not.
    """
    found = []
    for sign in (1, -1):
        mine = [turn for turn in turns if turn.change * sign > 0]
        for start, end in _stretches([turn for turn in mine if turn.run in runs], least):
            there = {turn.run for turn in mine if turn.start < end and turn.end > start}
            sides = (tuple(name for name in side if name in there) for side in (runs, controls))
            found.append(SharedMove(sign, start, end, *sides))
    return sorted(found, key=lambda move: (move.start, move.end))


def _stretches(turns: Sequence[TurnRow], least: int) -> list[tuple[int, int]]:
    steps = sorted({step for turn in turns for step in (turn.start, turn.end)})
    stretches: list[tuple[int, int]] = []
    for start, end in pairwise(steps):
        if len({turn.run for turn in turns if turn.start <= start and turn.end >= end}) < least:
            continue
        if stretches and stretches[-1][1] == start:
            start = stretches.pop()[0]
        stretches.append((start, end))
    return stretches
