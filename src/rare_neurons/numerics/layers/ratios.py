"""How layers compare within one run: how much the last one carries, and where influence lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.grid.jackknife import one_way_variance

Array = NDArray[np.float64]
LAST, MOVES = "last layer", "move between layers"
QUESTIONS = (LAST, MOVES)
SHARE, NATS = "share", "nats"
"""Forms of a comparison: ratios of mean squares, or differences of means where mean squares are not resolved."""
_RESOLVED = 2.0  # standard errors of the sum over layers from which ratios to it mean something


@dataclass(frozen=True)
class LayerMoments:
    """Moments over the neurons of each layer, of one checkpoint and stratum.

    Attributes
    ----------
    squares : Array [1 + fold, layer]
        Mean squares, squared nats, free of noise and so possibly negative; then the same without each document fold.
    means : Array [1 + fold, layer]
        Means, nats; likewise.
    factor : float
        Two-way standard error over that of documents alone.
    """

    squares: Array
    means: Array
    factor: float

    @property
    def is_resolved(self) -> bool:
        """Whether the sum of mean squares over layers is beyond its own noise."""
        total = self.squares.sum(1)
        return bool(total[0] > _RESOLVED * self.factor * np.sqrt(one_way_variance(total[1:])))


@dataclass(frozen=True)
class RunValue:
    """A statistic of one run, or why there is none.

    Attributes
    ----------
    value : float or None
    leave_outs : Array [fold]
    factor : float
        As in `LayerMoments`.
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


def last_beyond_all(means: Array) -> Array:
    """Mean of the last layer minus the mean of all layers `[...]`."""
    return means[..., -1] - means.mean(-1)


def mean_layer(squares: Array) -> Array:
    """Mean layer, weighted by mean squares: 0 where only the first acts, 1 where only the last `[...]`."""
    place = np.linspace(0, 1, squares.shape[-1])
    return squares @ place / squares.sum(-1)


def form_of(histories: Mapping[str, Mapping[int, LayerMoments]]) -> str:
    """Choose one form for all runs and controls: shares where all are resolved at their last checkpoint."""
    return SHARE if all(of[max(of)].is_resolved for of in histories.values()) else NATS


def value_of(question: str, of_model: Mapping[int, LayerMoments], form: str) -> RunValue:
    """Take the statistic of one of `QUESTIONS` from the checkpoints of a run."""
    last, nothing = max(of_model), np.zeros(0)
    if of_model[last].squares.shape[1] < 2:
        return RunValue(None, nothing, reason="one layer, but layers are compared from two on")
    if question == LAST:
        if form == SHARE:
            return _at(of_model, last, "squares", share_of_last)
        return _at(of_model, last, "means", last_beyond_all)
    usable = [step for step in sorted(of_model) if of_model[step].is_resolved]
    if form == NATS or len(usable) < 2:
        why = "mean squares of a run or control are within their noise, so shares mean nothing"
        alone = "influence is beyond its noise at one checkpoint only"
        return RunValue(None, nothing, reason=f"{why if form == NATS else alone}; raise layers.contexts")
    end, start = (_at(of_model, step, "squares", mean_layer) for step in (last, usable[0]))
    factor = max(end.factor, start.factor)
    return RunValue(end.value - start.value, end.leave_outs - start.leave_outs, factor, last, usable[0])


def _at(of_model: Mapping[int, LayerMoments], step: int, name: str, function: Callable[[Array], Array]) -> RunValue:
    values = function(getattr(of_model[step], name))
    return RunValue(float(values[0]), values[1:], of_model[step].factor, step)
