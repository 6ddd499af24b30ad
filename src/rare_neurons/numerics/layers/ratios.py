"""Ratios of layers' mean squares, of one run: how much the last layer carries, and where influence lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LAST, MOVES = "share of the last layer", "move between layers"
QUESTIONS = (LAST, MOVES)
_RESOLVED = 2.0  # standard errors of the sum over layers from which ratios to it mean something


@dataclass(frozen=True)
class LayerSquares:
    """Mean squares over the neurons of each layer, of one checkpoint and stratum.

    Attributes
    ----------
    value : Array [layer]
        Squared nats; free of noise, so possibly negative.
    leave_outs : Array [fold, layer]
        The same without one fold of documents.
    factor : float
        Two-way standard error over that of documents alone.
    """

    value: Array
    leave_outs: Array
    factor: float

    @property
    def is_resolved(self) -> bool:
        """Whether the sum over layers is beyond its own noise."""
        total = self.value.sum()
        return bool(total > _RESOLVED * self.factor * np.sqrt(jackknife(self.leave_outs.sum(1))))


@dataclass(frozen=True)
class RunValue:
    """A statistic of one run, or why there is none.

    Attributes
    ----------
    value : float or None
    leave_outs : Array [fold]
    factor : float
        As in `LayerSquares`.
    step, since : int or None
        Checkpoint that is judged, and the one it is compared with.
    reason : str
        Why there is no value.
    """

    value: float | None
    leave_outs: Array
    factor: float = 1.0
    step: int | None = None
    since: int | None = None
    reason: str = ""


def share_of_last(squares: Array) -> Array:
    """Share of the last layer in the sum over layers, minus that of layers that are all alike `[...]`."""
    return squares[..., -1] / squares.sum(-1) - 1 / squares.shape[-1]


def mean_layer(squares: Array) -> Array:
    """Mean layer, weighted by mean squares: 0 where only the first acts, 1 where only the last `[...]`."""
    place = np.linspace(0, 1, squares.shape[-1])
    return squares @ place / squares.sum(-1)


def value_of(question: str, of_model: Mapping[int, LayerSquares]) -> RunValue:
    """Take the statistic of one of `QUESTIONS` from the checkpoints of a run."""
    usable = [step for step in sorted(of_model) if of_model[step].is_resolved]
    nothing = np.zeros(0)
    if len(of_model) and len(next(iter(of_model.values())).value) < 2:
        return RunValue(None, nothing, reason="one layer, but layers are compared from two on")
    if not usable or usable[-1] != max(of_model):
        return RunValue(None, nothing, reason="influence at the last checkpoint is within its own noise")
    last = usable[-1]
    if question == LAST:
        return _at(of_model[last], share_of_last, step=last)
    if len(usable) < 2:
        return RunValue(None, nothing, reason="influence is beyond its noise at one checkpoint only")
    end, start = (_at(of_model[step], mean_layer, step=step) for step in (last, usable[0]))
    factor = max(end.factor, start.factor)
    return RunValue(end.value - start.value, end.leave_outs - start.leave_outs, factor, last, usable[0])


def _at(squares: LayerSquares, function: Callable[[Array], Array], *, step: int) -> RunValue:
    return RunValue(float(function(squares.value)), function(squares.leave_outs), squares.factor, step)


def jackknife(leave_outs: Array) -> float:
    """Variance of a statistic over documents, from its values without each fold `[fold]`."""
    n = len(leave_outs)
    return float((n - 1) / n * np.square(leave_outs - leave_outs.mean()).sum())
