"""Which neurons stay at the top."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.figures.parts.across import Across, AxisName, across
from rare_neurons.figures.parts.legends import legend
from rare_neurons.figures.parts.ticks import compact
from rare_neurons.figures.style import (
    axes_or_one,
    chosen,
    chosen_models,
    nothing_to_draw,
    of_panel,
    stratum_colours,
    styles,
)
from rare_neurons.results import load_timeline

_CHANCE = "#E8D8B0"  # unlike the grey of a stratum
_WITH = {"last": ("jaccard", "the last step"), "previous": ("jaccard_previous", "the step before")}


def plot_lineage(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    shared_with: Literal["last", "previous"] | None = None,
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw how much of each step's top neurons is shared with the last step's, and with the step before.

    Thin lines: what two halves of the panel share at that step, the ceiling that noise leaves for sets read on
    different contexts; two steps read the same contexts, and may share more. Thick line: what two sets at random share.
    `axis` draws over training tokens or overall loss. `shared_with` draws one alone, and then `ax` can be drawn into;
    `figure` is drawn into instead of a new one.
    """
    models, wanted = chosen_models(results, models), chosen("steps to share with,", shared_with, _WITH)
    table = load_timeline(results, "lineage", models=models)
    panels = list(dict.fromkeys(table.panel))
    if not panels:
        return nothing_to_draw(figure, ax)
    few = f"one axis for {len(panels) * len(wanted)} comparisons and panels; name one by shared_with=, or give figure="
    place = {"figure": figure, "ax": ax, "too_many": few, "sharey": True}
    figure, axes = axes_or_one(len(panels), len(wanted), width=3.4, height=2.8, **place)
    colours, along = stratum_colours(table.stratum), across(results, models, axis)
    for row, panel in zip(axes, panels, strict=True):
        mine = table[table.panel == panel]
        for one, name in zip(row, wanted, strict=True):
            column, title = _WITH[name]
            _draw_shares(one, mine, column, models, colours, along)
            one.axhline(mine.expected_jaccard.max(), color=_CHANCE, lw=3, zorder=0)
            one.set_title(f"shared with {title}{of_panel(table, panel)}", fontsize=9)
            one.set_ylim(-0.02, 1.02)
            along.dress(one, table.step)
            compact(one)
        row[0].set_ylabel("Jaccard index (0 to 1)", fontsize=8)
    halves = Line2D([], [], color="black", lw=0.6, alpha=0.6, label="halves of the panel")
    chance = Line2D([], [], color=_CHANCE, lw=3, label="two sets at random")
    legend(figure, colours, models, more=[halves, chance], ax=ax)
    return figure


def _draw_shares(
    axis: Axes, table: pd.DataFrame, column: str, models: Sequence[str], colours: Mapping[str, str], along: Across
) -> None:
    for style, model in zip(styles(), models, strict=False):
        for stratum, colour in colours.items():
            lines = table[(table.model == model) & (table.stratum == stratum)].sort_values("step")
            places = along.of(lines.step, model)
            axis.plot(places, lines[column], ls=style, color=colour, marker=".", ms=4)
            axis.plot(places, lines.jaccard_halves, ls=style, color=colour, lw=0.6, alpha=0.6)
