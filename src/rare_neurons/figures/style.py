"""Parts of figures: colours, axes of steps, legends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, StrMethodFormatter

from rare_neurons.errors import RequestError
from rare_neurons.results import list_models, load_integrity, load_timeline

COLOURS = {"common": "#0072B2", "mid": "#999999", "rare": "#D55E00"}  # Okabe & Ito: told apart by colour-blind readers
OTHERS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SEEDS = ("-", "--", "-.", ":")
VERDICTS = {
    "ok": "#009E73",
    "unchanged": "#56B4E9",
    "missing": "#999999",
}
QUARANTINED = "#D55E00"


Colour = str | tuple[float, float, float, float]
AxisName = Literal["step", "tokens", "loss"]
_LABELS = {"step": "step", "tokens": "training tokens", "loss": "loss (nats per token)"}
UNITLESS = ("step", "layer", "rank of the neuron", "neuron", "between steps", *_LABELS.values())
"""Labels of axes that count or name things, and need no unit; `test_registry` asks for one everywhere else."""


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
        names = [models] if isinstance(models, str) else models
        known = [[self.places.get((m, int(s)), np.nan) for m in names] for s in steps]
        means = [np.mean([v for v in one if v == v]) if any(v == v for v in one) else np.nan for one in known]
        return self._beside_zero(np.asarray(means, dtype=float))

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
        axis.set_xlabel(_LABELS[self.name])
        values = [value for value in self.places.values() if value == value]
        if self.name == "loss":
            room = 0.03 * (max(values) - min(values)) or 1.0
            axis.set_xlim(max(values) + room, min(values) - room)
            return
        ends = self._beside_zero(np.array([min(values), max(values)]))
        axis.set(xscale="log", xlim=(0.8 * ends[0], 1.2 * ends[1]))
        powers = range(int(np.ceil(np.log10(ends[0]))), int(np.log10(ends[1])) + 1)
        ticks = {10.0**k: f"$10^{{{k}}}$" for k in powers}
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


def nothing_to_draw(figure: Figure | None = None, ax: Axes | None = None) -> Figure:
    """Say so, where every checkpoint is bad."""
    text, centred = "no checkpoint that could be measured", {"ha": "center", "va": "center"}
    if ax is not None:
        ax.text(0.5, 0.5, text, transform=ax.transAxes, **centred)
        return ax.figure
    figure = Figure(figsize=(5, 1.2)) if figure is None else figure
    figure.text(0.5, 0.5, text, **centred)
    return figure


def of_panel(table: pd.DataFrame, panel: str) -> str:
    """Name of the panel where there are several."""
    return f", {panel}" if table.panel.nunique() > 1 else ""


def on_panels(table: pd.DataFrame, panel: str | None) -> pd.DataFrame:
    """Return the rows of one panel; where none is named, of the first that as many models have as have any."""
    if panel is None:
        sizes = table.groupby("panel", sort=False).model.nunique()
        return table if sizes.empty else table[table.panel == sizes.idxmax()]
    if panel not in set(table.panel):
        raise RequestError(f"no panel {panel!r}; there: {', '.join(dict.fromkeys(table.panel))}")
    return table[table.panel == panel]


def draw_quarantined(axis: Axes, verdicts: pd.DataFrame, across: Across | None = None) -> None:
    """Mark the steps of quarantined checkpoints, measured or not."""
    bad = verdicts[verdicts.quarantined]
    for step, models in bad.groupby("step").model:
        (place,) = (across or Across()).of([step], list(models))
        if place == place:
            axis.axvline(place, color="0.6", lw=0.8, ls=":", zorder=0)


def grid(
    rows: int, columns: int, *, width: float, height: float, figure: Figure | None = None, **share: bool
) -> tuple[Figure, np.ndarray]:
    """Return a figure and its axes [row column].

    Parameters
    ----------
    rows, columns : int
    width, height : float
        Of one axis, in inches.
    figure : Figure, optional
        Drawn into instead of a new one; it keeps its size, and its layout where it has one.
    **share : bool
        ``sharex``, ``sharey``.
    """
    if figure is None:
        figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    elif figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")  # without it, legends outside the axes cover them
    return figure, figure.subplots(rows, columns, squeeze=False, **share)


def one_axis(
    *, width: float, height: float, figure: Figure | None = None, ax: Axes | None = None
) -> tuple[Figure, Axes]:
    """Return a figure and its only axis, or a caller's axis and the figure that it is in.

    Raises
    ------
    ValueError
        If both a figure and an axis are given.
    """
    if ax is None:
        figure, axes = grid(1, 1, width=width, height=height, figure=figure)
        return figure, axes[0, 0]
    if figure is not None:
        raise ValueError("figure= and ax= are both given; give the axis alone, it knows its figure")
    return ax.figure, ax


def styles() -> list[str]:
    """Return line styles, one per model."""
    return list(SEEDS) * 8


def stratum_colours(strata: Sequence[str]) -> dict[str, str]:
    """Return the colour of every stratum, in the order of their first appearance."""
    names = list(dict.fromkeys(strata))
    free = iter(OTHERS * 4)
    return {name: COLOURS.get(name) or next(free) for name in names}


def x(steps: Sequence[int]) -> np.ndarray:
    """Place step 0 on a logarithmic axis: half a step before step 1."""
    steps = np.asarray(steps, dtype=float)
    return np.where(steps == 0, 0.5, steps)


def step_axis(axis: Axes, steps: Sequence[int]) -> None:
    """Make the horizontal axis one of training steps, logarithmic but for step 0."""
    axis.set_xscale("log")
    last = max(steps)
    ticks = [0.5, *(10.0**k for k in range(int(np.log10(max(last, 1))) + 1))]
    axis.set_xticks(ticks, ["0", *(f"{int(t):,}" for t in ticks[1:])])
    axis.set_xticks([], minor=True)
    axis.set_xlim(0.4, last * 1.2)
    axis.set_xlabel(_LABELS["step"])


def named_columns(axis: Axes, steps: Sequence[int], model: str, along: Across) -> None:
    """Name columns of unit width by their steps, tokens or loss, with as many names as there is room for."""
    every = -(-len(steps) // 12)
    shown = list(range(0, len(steps), every))
    if along.name == "step":
        names = [f"{steps[k]:,}" for k in shown]
    else:
        values = [along.places.get((model, int(steps[k])), np.nan) for k in shown]
        names = [f"{v:,.2f}" if along.name == "loss" else f"{v:,.3g}" for v in values]
    axis.set_xticks(np.array(shown) + 0.5, names, rotation=90, fontsize=7)
    axis.set_xlabel(_LABELS[along.name])


def plain_log_axis(axis: Axes) -> None:
    """Label a logarithmic axis of a decade or so with plain numbers."""
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_locator(NullLocator())


def power_log_axis(axis: Axes) -> None:
    """Label a logarithmic axis at powers of ten, and at 2 and 5 between them where there are few decades."""
    low, high = axis.get_ylim()
    subs = (1,) if high / low > 1000 else (1, 2, 5)
    axis.yaxis.set_major_locator(LogLocator(subs=subs))
    axis.yaxis.set_major_formatter(FuncFormatter(_power))
    axis.yaxis.set_minor_locator(NullLocator())


def _power(value: float, _: int) -> str:
    exponent = (
        int(np.floor(np.log10(value) + 1e-9)) if value > 0 else 0
    )  # of 10**-3 the logarithm may be -3 less one bit
    digit = round(value / 10.0**exponent)
    return f"$10^{{{exponent}}}$" if digit == 1 else rf"${digit}\cdot10^{{{exponent}}}$"


def mark(axis: Axes, places: Sequence[float], values: Sequence[float]) -> None:
    """Draw quarantined checkpoints as crosses; they enter no line."""
    axis.plot(places, values, "x", color="black", ms=5)


def legend(
    figure: Figure,
    colours: Mapping[str, Colour],
    models: Sequence[str],
    *,
    more: Sequence[Line2D | Patch] = (),
    ax: Axes | None = None,
) -> None:
    """Explain colours, line styles where there are several models, and what more is drawn.

    It stands beside the axes, or on the given one.
    """
    handles = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    if len(models) > 1:
        pairs = zip(styles(), models, strict=False)
        handles += [Line2D([], [], color="black", ls=style, lw=1, label=model) for style, model in pairs]
    handles += more
    if ax is not None:
        ax.legend(handles=handles, frameon=False, fontsize=8)
        return
    figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=8)


def quarantine_marks(verdicts: pd.DataFrame, *, crosses: bool = True) -> list[Line2D]:
    """Legend of what quarantined checkpoints are drawn as; nothing where there is none."""
    if not verdicts.quarantined.any():
        return []
    line = Line2D([], [], color="0.6", lw=0.8, ls=":", label="quarantined step")
    cross = Line2D([], [], color="black", marker="x", ms=5, ls="", label="quarantined value")
    return [line, cross] if crosses else [line]


def band(colour: Colour, label: str, alpha: float = 0.2) -> Patch:
    """Legend of a shaded band."""
    return Patch(color=colour, alpha=alpha, lw=0, label=label)


def rank_curve(axis: Axes, curve: pd.DataFrame, colour: Colour) -> None:
    """Draw the bins that resampled contexts tell from zero, with their band."""
    resolved = curve.low > 0
    axis.plot(curve.rank_mid, curve.value.where(resolved), color=colour, lw=1.4, marker=".", ms=3)
    axis.fill_between(curve.rank_mid, curve.low, curve.high, where=resolved, color=colour, alpha=0.2, lw=0)


def layer_colour(layer: float, layers: Sequence[float]) -> Colour:
    """Told apart by hue where there are few layers, by depth where there are many."""
    if layer != layer:
        return "black"  # embeddings belong to no layer
    few = ("#0072B2", "#D55E00", *OTHERS)
    index = list(layers).index(layer)
    return few[index] if len(layers) <= len(few) else colormaps["viridis"](index / (len(layers) - 1))


def chosen_models(results: str | Path, models: str | Sequence[str] | None) -> list[str]:
    """Return the asked models, or the one, by default all that have results."""
    return list_models(results) if models is None else [models] if isinstance(models, str) else list(models)
