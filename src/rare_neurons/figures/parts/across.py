"""What figures are drawn over: steps, training tokens or the loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from rare_neurons.errors import RequestError
from rare_neurons.figures.parts.ticks import short, step_axis, x
from rare_neurons.results import load_integrity, load_timeline

AxisName = Literal["step", "tokens", "loss"]
_LABELS = {"step": "step", "tokens": "training tokens", "loss": "loss (nats per token)"}
_MOST_NAMES = 12


@dataclass(frozen=True)
class Across:
    """Where checkpoints stand on the horizontal axis.

    Attributes
    ----------
    name : {"step", "tokens", "loss"}
    places : mapping of (model, step) to float
        Tokens or loss of each checkpoint; empty where the axis is one of steps.
    """

    name: AxisName = "step"
    places: Mapping[tuple[str, int], float] = field(default_factory=dict)

    def of(self, steps: Sequence[int], models: str | Sequence[str]) -> np.ndarray:
        """Return the places of checkpoints: the mean over the models that have them, NaN where none has."""
        if self.name == "step":
            return x(steps)
        return self._beside_zero(self._means(steps, models))

    def names(self, steps: Sequence[int], models: str | Sequence[str]) -> list[str]:
        """Write the steps, tokens or loss of checkpoints; empty where a loss or number of tokens is not known."""
        if self.name == "step":
            return [f"{step:,}" for step in steps]
        values = self._means(steps, models)
        return ["" if v != v else f"{v:.2f}" if self.name == "loss" else short(v) for v in values]

    @property
    def label(self) -> str:
        """Of the axis, with its unit."""
        return _LABELS[self.name]

    def _means(self, steps: Sequence[int], models: str | Sequence[str]) -> np.ndarray:
        names = [models] if isinstance(models, str) else models
        known = [[self.places.get((m, int(s)), np.nan) for m in names] for s in steps]
        return np.array([np.mean([v for v in one if v == v]) if any(v == v for v in one) else np.nan for one in known])

    def _beside_zero(self, values: np.ndarray) -> np.ndarray:
        """Place no tokens half of the least positive number away."""
        if self.name == "loss":
            return values
        least = min((value for value in self.places.values() if value > 0), default=1.0)
        return np.where(values == 0, least / 2, values)

    def dress(self, axis: Axes, steps: Sequence[int]) -> None:
        """Scale and label the horizontal axis; loss falls to the right, as training goes."""
        if self.name == "step":
            step_axis(axis, steps)
            return
        axis.set_xlabel(self.label)
        values = [value for value in self.places.values() if value == value]
        if self.name == "loss":
            room = 0.03 * (max(values) - min(values)) or 1.0
            axis.set_xlim(max(values) + room, min(values) - room)
            return
        ends = self._beside_zero(np.array([min(values), max(values)]))
        axis.set(xscale="log", xlim=(0.8 * ends[0], 1.2 * ends[1]))
        powers = range(int(np.ceil(np.log10(ends[0]))), int(np.log10(ends[1])) + 1)
        ticks = {10.0**k: short(10.0**k) for k in powers}
        if min(values) == 0:  # a power of ten next to it would overlap
            ticks = {ends[0]: "0"} | {place: name for place, name in ticks.items() if place > 3 * ends[0]}
        axis.set_xticks(list(ticks), list(ticks.values()))
        axis.set_xticks([], minor=True)


def across(results: str | Path, models: Sequence[str], name: AxisName, table: pd.DataFrame | None = None) -> Across:
    """Read where the checkpoints of some models stand.

    Tokens are those of `table`, or of the timeline of behaviour; loss is that which integrity has compared, over all
    targets.

    Raises
    ------
    RequestError
        If there is no such axis, or the results do not know the tokens or the loss.
    """
    if name == "step":
        return Across()
    if name not in _LABELS:
        raise RequestError(f"no axis {name!r}; there: {', '.join(_LABELS)}")
    if name == "loss":
        known, column = load_integrity(results, models=models), "canary_loss"
    else:
        column = "tokens_seen"
        held = table is not None and column in table
        known = table if held else load_timeline(results, "behaviour", models=models, include_quarantined=True)
    known = known.dropna(subset=[column]) if column in known else known[:0]
    if not len(known):
        raise RequestError(f"no axis {name!r}: no {column} of {', '.join(models)} in {results}; take axis='step'")
    keys = zip(known.model, known.step.astype(int), strict=True)
    return Across(name, dict(zip(keys, known[column].astype(float), strict=True)))


def named_columns(axis: Axes, steps: Sequence[int], models: str | Sequence[str], along: Across) -> None:
    """Name columns of unit width by their steps, tokens or loss, with as many names as there is room for."""
    shown = range(0, len(steps), -(-len(steps) // _MOST_NAMES))
    names = along.names([steps[k] for k in shown], models)
    axis.set_xticks(np.array(shown) + 0.5, names, rotation=90, fontsize=7)
    axis.set_xlabel(along.label, fontsize=8)
