"""Whether the strongest neurons fire together beyond like neurons, over steps."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.figures.style import (
    Colour,
    chosen_models,
    grid,
    legend,
    nothing_to_draw,
    of_panel,
    step_axis,
    stratum_colours,
    x,
)
from rare_neurons.results import load_timeline

_QUANTITY = "excess_square_correlation"
_MATCHED = "0.85"


def plot_organisation(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    controls: Sequence[str] = (),
    figure: Figure | None = None,
) -> Figure:
    """Draw the excess square correlation of each stratum's strongest neurons: a row for each run and control.

    Activations are residualised on frequency and position. Grey: 5 to 95 % of matched sets, at the set's covariates;
    dashed: the placebo, the neurons that write most. A set stands out where it exceeds both. `figure` is drawn into
    instead of a new one.
    """
    models = [*chosen_models(results, models), *controls]
    table = load_timeline(results, "organisation", models=models)
    table = table[(table.quantity == _QUANTITY) & table.residualised.astype(bool) & (table.sign == "all")]
    table = table[~table.quarantined.astype(bool)].dropna(subset=["value"])
    drawn = [model for model in models if model in set(table.model)]
    if not drawn:
        return nothing_to_draw(figure)
    columns = [key for key, _ in table.groupby(["panel", "stratum"], sort=False)]
    size = {"width": 3.2, "height": 2.2}
    figure, axes = grid(len(drawn), len(columns), **size, figure=figure, sharex=True, sharey="row")
    colours = stratum_colours(table.stratum)
    for row, model in zip(axes, drawn, strict=True):
        for axis, (panel, stratum) in zip(row, columns, strict=True):
            mine = table[(table.model == model) & (table.panel == panel) & (table.stratum == stratum)]
            _draw_set(axis, mine.sort_values("step"), colours[stratum])
            who = f"{model}, control" if model in controls else model
            axis.set_title(f"{stratum}{of_panel(table, panel)}: {who}", fontsize=9)
        row[0].set_ylabel("excess square\ncorrelation (0 to 1)")
    for axis in axes[-1]:
        step_axis(axis, table.step)
    _explain(figure, colours)
    return figure


def _draw_set(axis: Axes, table: pd.DataFrame, colour: Colour) -> None:
    steps = x(table.step)
    axis.fill_between(steps, table.null_low.astype(float), table.null_high.astype(float), color=_MATCHED, lw=0)
    axis.plot(steps, table.placebo_value.astype(float), color="black", ls="--", lw=0.8)
    axis.plot(steps, table.value.astype(float), color=colour, marker=".", ms=5, lw=1.4)


def _explain(figure: Figure, colours: Mapping[str, Colour]) -> None:
    matched = Line2D([], [], color=_MATCHED, lw=6, label="matched sets,\n5 to 95 %")
    placebo = Line2D([], [], color="black", ls="--", lw=0.8, label="placebo: neurons\nthat write most")
    legend(figure, colours, [], more=[matched, placebo])
