"""Columns of a timeline over steps, one colour per stratum."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from rare_neurons.figures.style import (
    chosen_models,
    draw_quarantined,
    grid,
    legend,
    mark,
    nothing_to_draw,
    of_panel,
    step_axis,
    stratum_colours,
    styles,
    x,
)
from rare_neurons.results import load_integrity, load_timeline


def draw_by_stratum(
    results: str | Path,
    models: Sequence[str] | None,
    quantity: str,
    columns: Sequence[tuple[str, str]],
    *,
    log: bool = False,
) -> Figure:
    """Draw columns of a timeline over steps: one axis per column and panel, one line style per model."""
    models = chosen_models(results, models)
    table = load_timeline(results, quantity, models=models, include_quarantined=True, pandas=True)
    panels = list(dict.fromkeys(table.panel))
    if not panels:
        return nothing_to_draw()
    across = min(2, len(columns))
    figure, axes = grid(len(panels) * -(-len(columns) // across), across, width=4.6, height=3.2)
    wanted = [(panel, column, label) for panel in panels for column, label in columns]
    for axis, (panel, column, label) in zip(axes.ravel(), wanted, strict=False):
        mine = table[table.panel == panel]
        for style, model in zip(styles(), models, strict=False):
            for stratum, colour in stratum_colours(table.stratum).items():
                lines = mine[(mine.model == model) & (mine.stratum == stratum)].sort_values("step")
                kept = lines[~lines.quarantined]
                axis.plot(x(kept.step), kept[column], style, color=colour, marker=".", ms=4)
                mark(axis, lines.step[lines.quarantined], lines[column][lines.quarantined])
        axis.set_ylabel(f"{label}{of_panel(table, panel)}")
        if log:
            axis.set_yscale("log")
        step_axis(axis, table.step)
        draw_quarantined(axis, load_integrity(results, models=models, pandas=True))
    legend(figure, stratum_colours(table.stratum), models)
    return figure
