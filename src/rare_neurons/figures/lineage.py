"""Which neurons stay at the top."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.figures.style import (
    chosen_models,
    grid,
    legend,
    nothing_to_draw,
    of_panel,
    step_axis,
    stratum_colours,
    styles,
    x,
)
from rare_neurons.results import load_timeline

_CHANCE = "#E8D8B0"  # unlike the grey of a stratum
_COLUMNS = {"jaccard": "shared with the last step", "jaccard_previous": "shared with the step before"}


def plot_lineage(results: str | Path, models: Sequence[str] | None = None, *, figure: Figure | None = None) -> Figure:
    """Draw how much of each step's top neurons is shared with the last step's, and with the step before.

    Thin lines: what two halves of the panel share at that step, the ceiling that noise leaves for sets read on
    different contexts; two steps read the same contexts, and may share more. Thick line: what two sets at random share.
    `figure` is drawn into instead of a new one.
    """
    models = chosen_models(results, models)
    table = load_timeline(results, "lineage", models=models)
    panels = list(dict.fromkeys(table.panel))
    if not panels:
        return nothing_to_draw(figure)
    figure, axes = grid(len(panels), 2, width=4.6, height=3.2, figure=figure, sharey=True)
    colours = stratum_colours(table.stratum)
    for row, panel in zip(axes, panels, strict=True):
        mine = table[table.panel == panel]
        for axis, (column, title) in zip(row, _COLUMNS.items(), strict=True):
            _draw_shares(axis, mine, column, models, colours)
            axis.axhline(mine.expected_jaccard.max(), color=_CHANCE, lw=3, zorder=0)
            axis.set(title=f"{title}{of_panel(table, panel)}", ylim=(-0.02, 1.02))
            step_axis(axis, table.step)
        row[0].set_ylabel("Jaccard index of the top neurons (0 to 1)")
    halves = Line2D([], [], color="black", lw=0.6, alpha=0.6, label="halves of the panel")
    chance = Line2D([], [], color=_CHANCE, lw=3, label="two sets at random")
    legend(figure, colours, models, more=[halves, chance])
    return figure


def _draw_shares(
    axis: Axes, table: pd.DataFrame, column: str, models: Sequence[str], colours: Mapping[str, str]
) -> None:
    for style, model in zip(styles(), models, strict=False):
        for stratum, colour in colours.items():
            lines = table[(table.model == model) & (table.stratum == stratum)].sort_values("step")
            axis.plot(x(lines.step), lines[column], style, color=colour, marker=".", ms=4)
            axis.plot(x(lines.step), lines.jaccard_halves, style, color=colour, lw=0.6, alpha=0.6)
