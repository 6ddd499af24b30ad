"""Which neurons stay at the top."""

from collections.abc import Sequence
from pathlib import Path

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


def plot_lineage(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw how much of each step's top neurons is shared with the last step's, and with the step before.

    Thin lines: what two halves of the panel share at that step, which is what noise leaves of a perfect overlap. Grey:
    what two sets at random share.
    """
    models = chosen_models(results, models)
    table = load_timeline(results, "lineage", models=models, pandas=True)
    panels = list(dict.fromkeys(table.panel))
    if not panels:
        return nothing_to_draw()
    figure, axes = grid(len(panels), 2, width=4.6, height=3.2, sharey=True)
    columns = {"jaccard": "shared with the last step's", "jaccard_previous": "shared with the step before's"}
    for row, panel in zip(axes, panels, strict=True):
        for axis, (column, title) in zip(row, columns.items(), strict=True):
            for style, model in zip(styles(), models, strict=False):
                for stratum, colour in stratum_colours(table.stratum).items():
                    kept = (table.panel == panel) & (table.model == model) & (table.stratum == stratum)
                    lines = table[kept].sort_values("step")
                    axis.plot(x(lines.step), lines[column], style, color=colour, marker=".", ms=4)
                    axis.plot(x(lines.step), lines.jaccard_halves, style, color=colour, lw=0.6, alpha=0.6)
            axis.axhline(table.expected_jaccard[table.panel == panel].max(), color="0.6", lw=3, zorder=0)
            axis.set(title=f"{title}{of_panel(table, panel)}", ylim=(-0.02, 1.02))
            step_axis(axis, table.step)
        row[0].set_ylabel("Jaccard index of the top neurons")
    legend(figure, stratum_colours(table.stratum), models)
    return figure
