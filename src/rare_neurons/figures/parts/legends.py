"""What explains a figure: legends and marks of checkpoints that enter no line."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rare_neurons.figures.parts.across import Across
from rare_neurons.figures.style import CONTROL, CONTROL_DASHES, Colour, styles

Handle = Line2D | Patch
_SIZE, _POINTS = 8, 72
_LETTER, _KEY = 0.6, 5
"""Mean width of a letter, and of a key with the room around it, in letters' heights."""


def draw_quarantined(axis: Axes, verdicts: pd.DataFrame, along: Across) -> None:
    """Mark the steps of quarantined checkpoints, measured or not."""
    bad = verdicts[verdicts.quarantined]
    for step, models in bad.groupby("step").model:
        (place,) = along.of([step], list(models))
        if place == place:
            axis.axvline(place, color="0.6", lw=0.8, ls=":", zorder=0)


def mark(axis: Axes, places: Sequence[float], values: Sequence[float]) -> None:
    """Draw quarantined checkpoints as crosses; they enter no line."""
    axis.plot(places, values, "x", color="black", ms=5)


def legend(
    figure: Figure,
    colours: Mapping[str, Colour],
    models: Sequence[str],
    *,
    more: Sequence[Handle] = (),
    ax: Axes | None = None,
) -> None:
    """Explain colours, line styles where there are several models, and what more is drawn.

    It stands below the axes, or the given one.
    """
    handles = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    handles += [*of_models(models), *more]
    explain(figure, handles, ax)


def explain(figure: Figure, handles: Sequence[Handle], ax: Axes | None = None) -> None:
    """Put a legend below all axes, in as many columns as there is room for, or below the given axis."""
    if ax is None:
        place = {"loc": "outside lower center", "fontsize": _SIZE}
        figure.legend(handles=handles, ncols=_columns(figure.get_figwidth(), handles), frameon=False, **place)
    else:
        legend_below(ax, handles)


def _columns(width: float, handles: Sequence[Handle]) -> int:
    letters = np.array([len(handle.get_label()) * _LETTER + _KEY for handle in handles])
    room = width * _POINTS / _SIZE
    fits = (n for n in range(len(letters), 1, -1) if sum(one.max() for one in np.array_split(letters, n)) <= room)
    return next(fits, 1)


def of_models(models: Sequence[str], *, controls: bool = False) -> list[Line2D]:
    """Legend of line styles where there are several models, and of the controls."""
    handles = []
    if len(models) > 1:
        pairs = zip(styles(), models, strict=False)
        handles += [Line2D([], [], color="black", ls=style, lw=1, label=model) for style, model in pairs]
    if controls:
        handles.append(Line2D([], [], color=CONTROL, ls=CONTROL_DASHES, lw=1, label="control"))
    return handles


def quarantine_marks(verdicts: pd.DataFrame, *, crosses: bool = True) -> list[Handle]:
    """Legend of what quarantined checkpoints are drawn as; nothing where there is none."""
    if not verdicts.quarantined.any():
        return []
    line = Line2D([], [], color="0.6", lw=0.8, ls=":", label="quarantined step")
    cross = Line2D([], [], color="black", marker="x", ms=5, ls="", label="quarantined value")
    return [line, cross] if crosses else [line]


def band(colour: Colour, label: str, alpha: float = 0.2) -> Patch:
    """Legend of a shaded band."""
    return Patch(color=colour, alpha=alpha, lw=0, label=label)


def legend_below(axis: Axes, handles: Sequence[Handle]) -> None:
    """Explain one axis below its labels, where nothing is covered."""
    axis.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.22),
        ncols=2 if len(handles) > 1 else 1,
        frameon=False,
        fontsize=7,
    )
