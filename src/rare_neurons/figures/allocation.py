"""Where the change of the loss came from, interval by interval."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rare_neurons.figures.parts.across import Across, AxisName, across
from rare_neurons.figures.parts.legends import Handle, legend
from rare_neurons.figures.style import (
    Colour,
    axes_or_one,
    chosen,
    chosen_models,
    chosen_strata,
    layer_colour,
    nothing_to_draw,
    of_panel,
)
from rare_neurons.results import load_timeline

_PARTS = {"within": "allocation_within", "whole": "allocation"}
# None is a layer's colour.
_OF_ALL = {"embedding": "#F0E442", "unembedding": "#4B2E83", "norm": "0.75", "other": "0.5"}


def plot_allocation(
    results: str | Path,
    models: Sequence[str] | None = None,
    strata: Sequence[str] | None = None,
    *,
    part: Literal["within", "whole"] | None = None,
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw which weights changed the loss between checkpoints, stacked, a bar for each interval; mean over the runs.

    What improved the loss is below zero. A black mark is the change itself, from plain forward passes: where the bars
    of both signs add up to it, nothing is left over. `axis` names the intervals by training tokens or overall loss.
    `figure` is drawn into instead of a new one, or `ax` where there is one panel, stratum and `part` of the loss.
    """
    models, parts = chosen_models(results, models), chosen("part", part, _PARTS)
    table = load_timeline(results, "allocation", models=models)
    changes = load_timeline(results, "allocation_changes", models=models)
    shown = chosen_strata(strata, table.stratum)
    columns = [key for key, _ in table.groupby(["panel", "stratum"], sort=False) if key[1] in shown]
    if not columns:
        return nothing_to_draw(figure, ax)
    few = f"one axis for {len(parts) * len(columns)} strata and parts; name one of each, or give figure= instead"
    place = {"figure": figure, "ax": ax, "too_many": few, "sharex": True}
    figure, axes = axes_or_one(len(parts), len(columns), width=3.6, height=2.7, **place)
    kinds, along = _kinds(table), across(results, models, axis)
    intervals = sorted(set(zip(table.step_before, table.step, strict=True)))
    for row, name in zip(axes, parts, strict=True):
        for one, (panel, stratum) in zip(row, columns, strict=True):
            mine, change = (
                rows[(rows.panel == panel) & (rows.stratum == stratum)]
                for rows in (table, changes[changes.part == name])
            )
            _draw_changes(one, change, intervals)
            _draw_bars(one, mine, _PARTS[name], intervals, kinds)
            one.set_title(f"{stratum}, {name}{of_panel(table, panel)}", fontsize=9)
        row[0].set_ylabel(f"change of the loss,\n{name} (nats per token)", fontsize=8)
    for one in axes.ravel():
        one.tick_params(labelsize=8)
    for one in axes[-1]:
        _name_intervals(one, intervals, models, along)
    handles: list[Handle] = [Patch(**style, label=name) for name, style in kinds.values()]
    handles.append(Line2D([], [], color="black", marker="_", ms=10, ls="", label="loss change"))
    legend(figure, {}, [], more=handles, ax=ax)
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
    intervals: Sequence[tuple[int, int]],
    kinds: Mapping[tuple[str, float | None], tuple[str, Mapping[str, object]]],
) -> None:
    n_models = table.model.nunique()
    up, down = np.zeros(len(intervals)), np.zeros(len(intervals))
    for (kind, layer), (_, style) in kinds.items():
        mine = table[(table.kind == kind) & ((table.layer == layer) if layer is not None else True)]
        sums = mine.groupby(["step_before", "step"])[column].sum() / n_models
        heights = np.array([sums.get(interval, 0.0) for interval in intervals])
        axis.bar(np.arange(len(intervals)), heights, bottom=np.where(heights > 0, up, down), width=0.8, **style)
        up, down = up + heights.clip(0), down + heights.clip(max=0)
    axis.axhline(0, color="0.4", lw=0.8)


def _draw_changes(axis: Axes, changes: pd.DataFrame, intervals: Sequence[tuple[int, int]]) -> None:
    change = changes.groupby(["step_before", "step"]).loss_change.mean()
    marks = [change.get(interval, np.nan) for interval in intervals]
    axis.plot(np.arange(len(intervals)), marks, "_", color="black", ms=14, mew=2)


def _name_intervals(axis: Axes, intervals: Sequence[tuple[int, int]], models: Sequence[str], along: Across) -> None:
    ends = [along.names(steps, models) for steps in zip(*intervals, strict=True)]
    names = [f"{before}–{after}" for before, after in zip(*ends, strict=True)]
    axis.set_xticks(np.arange(len(intervals)), names, rotation=90, fontsize=7)
    axis.set_xlabel("between steps" if along.name == "step" else f"between {along.label}", fontsize=8)
