"""Whether the strongest neurons fire together beyond like neurons, over steps."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.figures.parts.across import AxisName, across
from rare_neurons.figures.parts.legends import legend
from rare_neurons.figures.parts.ticks import compact
from rare_neurons.figures.style import (
    Colour,
    axes_or_one,
    chosen_models,
    chosen_strata,
    name_rows,
    named,
    nothing_to_draw,
    of_panel,
    stratum_colours,
)
from rare_neurons.results import load_timeline

_QUANTITY = "excess_square_correlation"
_MATCHED = "0.85"


def plot_organisation(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    controls: Sequence[str] = (),
    strata: Sequence[str] | None = None,
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the excess square correlation of each stratum's strongest neurons: a row for each run and control.

    Activations are residualised on frequency and position. Grey: 5 to 95 % of matched sets, at the set's covariates;
    dashed: the placebo, the neurons that write most. A set stands out where it exceeds both. `axis` draws over
    training tokens or overall loss. `figure` is drawn into instead of a new one, or `ax` where there is one run, panel
    and stratum and no control.
    """
    models = [*chosen_models(results, models), *controls]
    table = load_timeline(results, "organisation", models=models)
    table = table[(table.quantity == _QUANTITY) & table.residualised.astype(bool) & (table.sign == "all")]
    table = table[~table.quarantined.astype(bool)].dropna(subset=["value"])
    table = table[table.stratum.isin(chosen_strata(strata, table.stratum))]
    drawn = [model for model in models if model in set(table.model)]
    if not drawn:
        return nothing_to_draw(figure, ax)
    columns = [key for key, _ in table.groupby(["panel", "stratum"], sort=False)]
    few = f"one axis for {len(drawn) * len(columns)} runs and strata; name one of each and no control, or give figure="
    place = {"figure": figure, "ax": ax, "too_many": few, "sharex": True, "sharey": "row"}
    figure, axes = axes_or_one(len(drawn), len(columns), width=3.2, height=2.2, **place)
    colours, along = stratum_colours(table.stratum), across(results, drawn, axis, table)
    for row, model in zip(axes, drawn, strict=True):
        for one, (panel, stratum) in zip(row, columns, strict=True):
            mine = table[(table.model == model) & (table.panel == panel) & (table.stratum == stratum)]
            _draw_set(one, mine.sort_values("step"), along.of(mine.step.sort_values(), model), colours[stratum])
            one.set_title(f"{stratum}{of_panel(table, panel)}: {named(model, controls)}", fontsize=8.5)
    for one in axes[-1]:
        along.dress(one, table.step)
    for one in axes.ravel():
        compact(one)
    name_rows(figure, "excess square correlation (0 to 1)", ax)
    _explain(figure, colours, ax)
    return figure


def _draw_set(axis: Axes, table: pd.DataFrame, places: np.ndarray, colour: Colour) -> None:
    axis.fill_between(places, table.null_low.astype(float), table.null_high.astype(float), color=_MATCHED, lw=0)
    axis.plot(places, table.placebo_value.astype(float), color="black", ls="--", lw=0.8)
    axis.plot(places, table.value.astype(float), color=colour, marker=".", ms=5, lw=1.4)


def _explain(figure: Figure, colours: Mapping[str, Colour], ax: Axes | None) -> None:
    matched = Line2D([], [], color=_MATCHED, lw=6, label="matched sets, 5 to 95 %")
    placebo = Line2D([], [], color="black", ls="--", lw=0.8, label="placebo: neurons that write most")
    legend(figure, colours, [], more=[matched, placebo], ax=ax)
