"""Where the change of the loss came from, interval by interval."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rare_neurons.figures.style import Colour, chosen_models, grid, layer_colour, nothing_to_draw, of_panel
from rare_neurons.results import load_timeline

_PARTS = {"within": "allocation_within", "whole": "allocation"}
# None is a layer's colour.
_OF_ALL = {"embedding": "#F0E442", "unembedding": "#4B2E83", "norm": "0.75", "other": "0.5"}


def plot_allocation(
    results: str | Path, models: Sequence[str] | None = None, *, figure: Figure | None = None
) -> Figure:
    """Draw which weights changed the loss between checkpoints, stacked, a bar for each interval; mean over the runs.

    What improved the loss is below zero. A black mark is the change itself, from plain forward passes: where the bars
    of both signs add up to it, nothing is left over. `figure` is drawn into instead of a new one.
    """
    models = chosen_models(results, models)
    table = load_timeline(results, "allocation", models=models)
    changes = load_timeline(results, "allocation_changes", models=models)
    if not len(table):
        return nothing_to_draw(figure)
    columns = [key for key, _ in table.groupby(["panel", "stratum"], sort=False)]
    figure, axes = grid(len(_PARTS), len(columns), width=4.4, height=2.9, figure=figure, sharex=True)
    kinds = _kinds(table)
    for row, (part, column) in zip(axes, _PARTS.items(), strict=True):
        for axis, (panel, stratum) in zip(row, columns, strict=True):
            mine, change = (
                one[(one.panel == panel) & (one.stratum == stratum)] for one in (table, changes[changes.part == part])
            )
            _draw_bars(axis, mine, column, change, kinds)
            axis.set_title(f"{stratum}, {part}{of_panel(table, panel)}", fontsize=9)
        row[0].set_ylabel(f"change of the loss,\n{part} (nats per token)")
    for axis in axes[-1]:
        axis.set_xlabel("between steps")
    handles: list[Patch | Line2D] = [Patch(**style, label=name) for name, style in kinds.values()]
    handles.append(Line2D([], [], color="black", marker="_", ms=10, ls="", label="loss change"))
    figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=8)
    return figure


def _kinds(table: pd.DataFrame) -> dict[tuple[str, float | None], tuple[str, dict[str, object]]]:
    """Name and style of every kind of weights, neurons and heads by layer."""
    layers = sorted(set(table.layer.dropna()))
    found: dict[tuple[str, float | None], tuple[str, dict[str, object]]] = {}
    for kind, hatch in (("neuron", ""), ("head", "///")):
        for layer in layers:
            colour: Colour = layer_colour(layer, layers)
            style = {"facecolor": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0}
            found[kind, layer] = f"{kind}s, layer {layer:.0f}", style
    return found | {(kind, None): (kind, {"facecolor": colour}) for kind, colour in _OF_ALL.items()}


def _draw_bars(
    axis: Axes,
    table: pd.DataFrame,
    column: str,
    changes: pd.DataFrame,
    kinds: Mapping[tuple[str, float | None], tuple[str, Mapping[str, object]]],
) -> None:
    intervals = sorted(set(zip(table.step_before, table.step, strict=True)))
    n_models = table.model.nunique()
    up, down = np.zeros(len(intervals)), np.zeros(len(intervals))
    for (kind, layer), (_, style) in kinds.items():
        mine = table[(table.kind == kind) & ((table.layer == layer) if layer is not None else True)]
        sums = mine.groupby(["step_before", "step"])[column].sum() / n_models
        heights = np.array([sums.get(interval, 0.0) for interval in intervals])
        axis.bar(np.arange(len(intervals)), heights, bottom=np.where(heights > 0, up, down), width=0.8, **style)
        up, down = up + heights.clip(0), down + heights.clip(max=0)
    change = changes.groupby(["step_before", "step"]).loss_change.mean()
    marks = [change.get(interval, np.nan) for interval in intervals]
    axis.plot(np.arange(len(intervals)), marks, "_", color="black", ms=14, mew=2)
    axis.axhline(0, color="0.4", lw=0.8)
    names = [f"{before:,}–{after:,}" for before, after in intervals]
    axis.set_xticks(np.arange(len(intervals)), names, rotation=90, fontsize=7)
