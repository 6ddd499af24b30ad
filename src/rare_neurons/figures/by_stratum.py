"""Columns of a timeline over steps, one colour per stratum."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rare_neurons.figures.parts.across import Across, AxisName, across
from rare_neurons.figures.style import (
    chosen_models,
    draw_quarantined,
    grid,
    legend,
    mark,
    nothing_to_draw,
    of_panel,
    one_axis,
    power_log_axis,
    quarantine_marks,
    stratum_colours,
    styles,
)
from rare_neurons.results import load_integrity, load_timeline


def draw_by_stratum(
    results: str | Path,
    models: Sequence[str] | None,
    quantity: str,
    columns: Sequence[tuple[str, str]],
    *,
    log: bool = False,
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw columns of a timeline over steps: one axis per column and panel, one line style per model.

    Parameters
    ----------
    results : str or Path
    models : sequence of str or None
        All that have results where None.
    quantity : str
        A folder of ``timelines``.
    columns : sequence of (column, label)
    log : bool
        Whether the values are drawn on a logarithmic axis.
    axis : {"step", "tokens", "loss"}
        What they are drawn over: steps, training tokens, or the loss over all targets.
    figure : Figure, optional
        Drawn into instead of a new one.
    ax : Axes, optional
        Drawn into, where there is one column of one panel.

    Raises
    ------
    ValueError
        If one axis is given for several columns or panels.
    """
    models = chosen_models(results, models)
    table = load_timeline(results, quantity, models=models, include_quarantined=True)
    wanted = [(panel, *column) for panel in dict.fromkeys(table.panel) for column in columns]
    if not wanted:
        return nothing_to_draw(figure, ax)
    figure, axes = _axes_for(wanted, len(columns), figure, ax)
    verdicts, along = load_integrity(results, models=models), across(results, models, axis, table)
    for one, (panel, column, label) in zip(axes, wanted, strict=False):
        mine = table[table.panel == panel]
        _draw_lines(one, mine, column, models, along)
        one.set_ylabel(f"{label}{of_panel(table, panel)}")
        if log:
            one.set_yscale("log")
            power_log_axis(one)
        along.dress(one, table.step)
        draw_quarantined(one, verdicts, along)
    legend(figure, stratum_colours(table.stratum), models, more=quarantine_marks(verdicts), ax=ax)
    return figure


def _axes_for(
    wanted: Sequence[tuple[str, str, str]], n_columns: int, figure: Figure | None, ax: Axes | None
) -> tuple[Figure, Sequence[Axes]]:
    if ax is not None and len(wanted) > 1:
        panels = ", ".join(dict.fromkeys(panel for panel, *_ in wanted))
        raise ValueError(
            f"one axis for {n_columns} column(s) of panel(s) {panels}, which need {len(wanted)}; give figure= instead"
        )
    size = {"width": 4.6, "height": 3.2, "figure": figure}
    if ax is not None:
        figure, axis = one_axis(**size, ax=ax)
        return figure, [axis]
    across = min(2, n_columns)
    down = len(wanted) // n_columns * -(-n_columns // across)
    figure, axes = grid(down, across, **size)
    return figure, axes.ravel()


def _draw_lines(axis: Axes, table: pd.DataFrame, column: str, models: Sequence[str], along: Across) -> None:
    for style, model in zip(styles(), models, strict=False):
        for stratum, colour in stratum_colours(table.stratum).items():
            lines = table[(table.model == model) & (table.stratum == stratum)].sort_values("step")
            places = pd.Series(along.of(lines.step, model), lines.index)
            kept = ~lines.quarantined.astype(bool)
            axis.plot(places[kept], lines[column][kept], style, color=colour, marker=".", ms=4)
            mark(axis, places[~kept], lines[column][~kept])
