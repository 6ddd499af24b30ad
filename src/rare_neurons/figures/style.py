"""What all figures share: colours, line styles, and axes to draw on."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rare_neurons.errors import RequestError
from rare_neurons.results import list_models

COLOURS = {"common": "#0072B2", "mid": "#009E73", "rare": "#D55E00"}  # Okabe & Ito: told apart by colour-blind readers
MARKS = {"common": "o", "mid": "s", "rare": "^"}
"""Without colours, in a grey print, strata are told apart by their marks."""
OTHERS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SEEDS = ("-", "--", "-.", ":", (0, (7, 1.5)), (0, (5, 1, 1, 1, 1, 1)), (0, (2, 1)), (0, (9, 2, 2, 2)))
CONTROL, CONTROL_DASHES = "0.55", (0, (3, 2))
_PAGE, _LEAST = {"width": 7.2, "height": 10.5}, {"width": 1.7, "height": 1.2}
"""Inches: what two columns of print leave for a figure, and the smallest axis that can be read."""
NORMAL = 1.645  # 90 %, two-sided
VERDICTS = {
    "ok": "#009E73",
    "unchanged": "#56B4E9",
    "missing": "#999999",
}
QUARANTINED = "#D55E00"


Colour = str | tuple[float, float, float, float]
T = TypeVar("T")
Dashes = str | tuple[float, tuple[float, ...]]


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
    return table[table.panel.isin(chosen("panel", panel, dict.fromkeys(table.panel)))]


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


def on_page(rows: int, columns: int, *, width: float, height: float) -> dict[str, float]:
    """Return the size of one axis, in inches: smaller where all would not fit on a page, if they can be read."""
    sizes = (("width", columns, width), ("height", rows, height))
    return {name: max(min(size, _PAGE[name] / n), min(size, _LEAST[name])) for name, n, size in sizes}


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
    """Return a figure of a page at most and its axes [row column], or those of a caller's axis where one is enough.

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
    size = on_page(rows, columns, width=width, height=height)
    if ax is None:
        return grid(rows, columns, **size, figure=figure, **share)
    if rows * columns > 1:
        raise RequestError(too_many)
    figure, axis = one_axis(**size, figure=figure, ax=ax)
    return figure, np.array([[axis]])


def name_rows(figure: Figure, label: str, ax: Axes | None = None) -> None:
    """Name the vertical axis of all rows together, or of the one given."""
    if ax is None:
        figure.supylabel(label, fontsize=9)
    else:
        ax.set_ylabel(label, fontsize=8)


def keep_drawn(axes: np.ndarray, n: int) -> list[Axes]:
    """Remove the axes beyond the first n, and return those."""
    for axis in axes.ravel()[n:]:
        axis.remove()
    return list(axes.ravel()[:n])


def styles() -> list[Dashes]:
    """Return line styles, one per model."""
    return list(SEEDS) * 4


def named(model: str, controls: Sequence[str]) -> str:
    """Name of a model that says whether it is a control."""
    return f"{model}, control" if model in controls else model


def stratum_colours(strata: Sequence[str]) -> dict[str, str]:
    """Return the colour of every stratum, in the order of their first appearance."""
    names = list(dict.fromkeys(strata))
    free = iter([*(colour for colour in OTHERS if colour not in COLOURS.values()), "black"] * 4)
    return {name: COLOURS.get(name) or next(free) for name in names}


def stratum_marks(strata: Sequence[str]) -> dict[str, str]:
    """Return the mark of every stratum, in the order of their first appearance."""
    free = iter("DvPX*" * 4)
    return {name: MARKS.get(name) or next(free) for name in dict.fromkeys(strata)}


def layer_colour(layer: float, layers: Sequence[float]) -> Colour:
    """Told apart by hue where there are few layers, by depth where there are many."""
    if layer != layer:
        return "black"  # embeddings belong to no layer
    few = ("#0072B2", "#D55E00", *OTHERS)
    index = list(layers).index(layer)
    return few[index] if len(layers) <= len(few) else colormaps["viridis"](index / (len(layers) - 1))


def chosen(what: str, name: T | None, known: Iterable[T]) -> list[T]:
    """Return the one that is asked for, by default all.

    Raises
    ------
    RequestError
        If there is no such.
    """
    there = list(known)
    if name is None:
        return there
    if name not in there:
        raise RequestError(f"no {what} {name!r}; there: {', '.join(map(str, there))}")
    return [name]


def chosen_strata(strata: Sequence[str] | None, known: Iterable[str]) -> list[str]:
    """Return the strata that are asked for, by default all in their order.

    Raises
    ------
    RequestError
        If there is no such.
    """
    there = list(dict.fromkeys(known))
    return there if strata is None else [name for one in strata for name in chosen("stratum", one, there)]


def chosen_models(results: str | Path, models: str | Sequence[str] | None) -> list[str]:
    """Return the asked models, or the one, by default all that have results."""
    return list_models(results) if models is None else [models] if isinstance(models, str) else list(models)
