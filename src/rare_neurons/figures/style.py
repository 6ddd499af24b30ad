"""Parts of figures: colours, axes of steps, legends."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from rare_neurons.results import list_models

COLOURS = {"common": "#0072B2", "mid": "#999999", "rare": "#D55E00"}  # Okabe & Ito: told apart by colour-blind readers
OTHERS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SEEDS = ("-", "--", "-.", ":")
VERDICTS = {
    "ok": "#009E73",
    "unchanged": "#56B4E9",
    "missing": "#999999",
}
QUARANTINED = "#D55E00"


def nothing_to_draw() -> Figure:
    """Say so, where every checkpoint is bad."""
    figure = Figure(figsize=(5, 1.2))
    figure.text(0.5, 0.5, "no checkpoint that could be measured", ha="center", va="center")
    return figure


def of_panel(table: object, panel: str) -> str:
    """Name of the panel where there are several."""
    return f", {panel}" if table.panel.nunique() > 1 else ""


def draw_quarantined(axis: Axes, verdicts: object) -> None:
    """Mark the steps of quarantined checkpoints, measured or not."""
    for step in sorted(set(verdicts.step[verdicts.quarantined])):
        axis.axvline(x([step])[0], color="0.6", lw=0.8, ls=":", zorder=0)


def grid(rows: int, columns: int, *, width: float, height: float, **share: bool) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **share)


def styles() -> list[str]:
    return list(SEEDS) * 8


def stratum_colours(strata: Sequence[str]) -> dict[str, str]:
    names = list(dict.fromkeys(strata))
    free = iter(OTHERS * 4)
    return {name: COLOURS.get(name) or next(free) for name in names}


def x(steps: Sequence[int]) -> np.ndarray:
    """Place step 0 on a logarithmic axis: half a step before step 1."""
    steps = np.asarray(steps, dtype=float)
    return np.where(steps == 0, 0.5, steps)


def step_axis(axis: Axes, steps: Sequence[int]) -> None:
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


def mark(axis: Axes, steps: Sequence[int], values: Sequence[float]) -> None:
    """Draw quarantined checkpoints as crosses; they enter no line."""
    axis.plot(x(steps), values, "x", color="black", ms=5)


def legend(figure: Figure, colours: Mapping[str, str], models: Sequence[str]) -> None:
    """Explain colours and, where there are several models, line styles, beside the axes."""
    handles = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    if len(models) > 1:
        pairs = zip(styles(), models, strict=False)
        handles += [Line2D([], [], color="black", ls=style, lw=1, label=model) for style, model in pairs]
    figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=8)


def rank_curve(axis: Axes, curve: object, colour: object) -> None:
    """Draw the bins that resampled contexts tell from zero, with their band."""
    resolved = curve.low > 0
    axis.plot(curve.rank_mid, curve.value.where(resolved), color=colour, lw=1.4, marker=".", ms=3)
    axis.fill_between(curve.rank_mid, curve.low, curve.high, where=resolved, color=colour, alpha=0.2, lw=0)


def step_bar(figure: Figure, axes: np.ndarray, norm: object, cmap: object) -> None:
    bar = figure.colorbar(ScalarMappable(norm, cmap), ax=axes, shrink=0.8, pad=0.02)
    bar.set_label("step + 1")


def layer_colour(layer: float, layers: Sequence[float]) -> object:
    """Told apart by hue where there are few layers, by depth where there are many."""
    if layer != layer:
        return "black"  # embeddings belong to no layer
    few = ("#0072B2", "#D55E00", *OTHERS)
    index = list(layers).index(layer)
    return few[index] if len(layers) <= len(few) else colormaps["viridis"](index / (len(layers) - 1))


def chosen_models(results: str | Path, models: Sequence[str] | None) -> list[str]:
    """Return the asked models, by default all that have results."""
    return list_models(results) if models is None else list(models)
