"""Which neurons stay at the top."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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

_COLUMNS = {"jaccard": "shared with the last step's", "jaccard_previous": "shared with the step before's"}


def plot_lineage(results: str | Path, models: Sequence[str] | None = None, *, figure: Figure | None = None) -> Figure:
    """Draw how much of each step's top neurons is shared with the last step's, and with the step before.

    Thin lines: what two halves of the panel share at that step, which is what noise leaves of a perfect overlap. Grey:
    what two sets at random share. `figure` is drawn into instead of a new one.
    """
    models = chosen_models(results, models)
    table = load_timeline(results, "lineage", models=models, pandas=True)
    panels = list(dict.fromkeys(table.panel))
    if not panels:
        return nothing_to_draw(figure)
    figure, axes = grid(len(panels), 2, width=4.6, height=3.2, figure=figure, sharey=True)
    colours = stratum_colours(table.stratum)
    for row, panel in zip(axes, panels, strict=True):
        mine = table[table.panel == panel]
        for axis, (column, title) in zip(row, _COLUMNS.items(), strict=True):
            _draw_shares(axis, mine, column, models, colours)
            axis.axhline(mine.expected_jaccard.max(), color="0.6", lw=3, zorder=0)
            axis.set(title=f"{title}{of_panel(table, panel)}", ylim=(-0.02, 1.02))
            step_axis(axis, table.step)
        row[0].set_ylabel("Jaccard index of the top neurons")
    legend(figure, colours, models)
    return figure


def _draw_shares(
    axis: Axes, table: pd.DataFrame, column: str, models: Sequence[str], colours: Mapping[str, str]
) -> None:
    for style, model in zip(styles(), models, strict=False):
        for stratum, colour in colours.items():
            lines = table[(table.model == model) & (table.stratum == stratum)].sort_values("step")
            axis.plot(x(lines.step), lines[column], style, color=colour, marker=".", ms=4)
            axis.plot(x(lines.step), lines.jaccard_halves, style, color=colour, lw=0.6, alpha=0.6)
