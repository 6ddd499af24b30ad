"""Parts of figures: colours, axes of steps, legends."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, StrMethodFormatter

from rare_neurons.errors import RequestError
from rare_neurons.results import list_models

if TYPE_CHECKING:
    from rare_neurons.figures.parts.across import Across

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


def draw_quarantined(axis: Axes, verdicts: pd.DataFrame, along: "Across | None" = None) -> None:
    """Mark the steps of quarantined checkpoints, measured or not."""
    bad = verdicts[verdicts.quarantined]
    for step, models in bad.groupby("step").model:
        (place,) = x([step]) if along is None else along.of([step], list(models))
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


def axes_or_one(
    rows: int,
    columns: int,
    *,
    width: float,
    height: float,
    too_many: str,
    figure: Figure | None = None,
    ax: Axes | None = None,
    **share: bool,
) -> tuple[Figure, np.ndarray]:
    """Return a figure and its axes [row column] (`grid`), or those of a caller's axis where one is enough.

    Parameters
    ----------
    too_many : str
        What to say where an axis is given and more are needed.

    Raises
    ------
    RequestError
        If an axis is given and more are needed.
    ValueError
        If both a figure and an axis are given.
    """
    size = {"width": width, "height": height}
    if ax is None:
        return grid(rows, columns, **size, figure=figure, **share)
    if rows * columns > 1:
        raise RequestError(too_many)
    figure, axis = one_axis(**size, figure=figure, ax=ax)
    return figure, np.array([[axis]])


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
    axis.set_xlabel("step")


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
        legend_below(ax, handles)
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


def legend_below(axis: Axes, handles: Sequence[Line2D | Patch]) -> None:
    """Explain one axis below its labels, where nothing is covered."""
    axis.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.22),
        ncols=2 if len(handles) > 1 else 1,
        frameon=False,
        fontsize=7,
    )


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
