"""Ranked influence at a few steps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rare_neurons.errors import RequestError
from rare_neurons.figures.parts.bands import OPACITY, draw_band
from rare_neurons.figures.parts.good import of_good_checkpoints
from rare_neurons.figures.parts.legends import band, legend
from rare_neurons.figures.parts.ticks import compact, log_axis
from rare_neurons.figures.style import (
    Colour,
    axes_or_one,
    chosen_models,
    name_rows,
    named,
    nothing_to_draw,
    of_panel,
    on_panels,
)
from rare_neurons.results import load_shards

_DECADES = 1e6  # below the largest value: what a run without any influence shows is rounding
_MOST_STEPS = 4
_LEAST_SHARE = 0.1  # of the most bins that any step has resolved: a stray bin or two is no curve


def plot_rank_curves(
    results: str | Path,
    models: Sequence[str] | None = None,
    strata: Sequence[str] = ("common", "rare"),
    *,
    controls: Sequence[str] = (),
    steps: Sequence[int] | None = None,
    panel: str | None = None,
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the cross-fitted ranked influence of a few steps on log-log axes: a row per run, a column per stratum.

    The shaded band is the interval over resampled contexts; bins whose interval reaches zero are not drawn, for there
    nothing tells neurons from noise. By default four steps, evenly taken from those at which anything is told from
    zero in more than a stray bin. The first of the `controls` is the last row. `figure` is drawn into instead of
    a new one, or `ax`, where there is one run, panel and stratum.
    """
    models = [*chosen_models(results, models), *controls[:1]]
    table = load_shards(results, "curves", models=models).query("sign == 'all'")
    table = of_good_checkpoints(results, table, models)
    strata = [s for s in strata if s in set(table.stratum)] or list(dict.fromkeys(table.stratum))
    table = on_panels(table[table.stratum.isin(strata)], panel)
    rows = [key for key, _ in table.groupby(["panel", "model"], sort=False)]
    if not rows:
        return nothing_to_draw(figure, ax)
    missing = sorted(set(steps or ()) - set(table.step))
    if missing:
        there = ", ".join(map(str, sorted(set(table.step))))
        raise RequestError(f"no ranked influence of a good checkpoint at steps {missing}; there: {there}")
    few = (
        f"one axis for {len(rows)} run(s) and panel(s) of {len(strata)} strata; name one model and one stratum, "
        "or give figure= instead"
    )
    place = {"figure": figure, "ax": ax, "too_many": few}
    figure, axes = axes_or_one(len(rows), len(strata), width=3.4, height=2.4, **place, sharex=True, sharey=True)
    colours = _colours(table[~table.model.isin(controls)] if len(table) else table, steps)
    for row, (of, model) in zip(axes, rows, strict=True):
        for axis, stratum in zip(row, strata, strict=True):
            mine = table[(table.model == model) & (table.panel == of) & (table.stratum == stratum)]
            _draw_steps(axis, mine, colours)
            axis.set_title(f"{named(model, controls)}: {stratum}{of_panel(table, of)}", fontsize=8.5)
    _scale(axes, table[table.step.isin(colours)])
    name_rows(figure, "cross-fitted influence (nats per token)", ax)
    more = [band("black", "interval over documents and types", OPACITY)]
    legend(figure, {f"step {step:,}": colour for step, colour in colours.items()}, [], more=more, ax=ax)
    return figure


def _colours(table: pd.DataFrame, steps: Sequence[int] | None) -> dict[int, Colour]:
    """Colour of every step that is drawn, darker as training goes on."""
    if steps is None:
        bins = table[table.low > 0].groupby("step").size()
        found = sorted(bins.index[bins >= _LEAST_SHARE * bins.max()]) or sorted(set(table.step))
        places = np.linspace(0, len(found) - 1, min(len(found), _MOST_STEPS)).round().astype(int)
        steps = [found[place] for place in dict.fromkeys(places)]
    shades = np.linspace(0.12, 0.95, len(steps))
    return {int(step): colormaps["viridis_r"](shade) for step, shade in zip(steps, shades, strict=True)}


def _draw_steps(axis: Axes, table: pd.DataFrame, colours: dict[int, Colour]) -> None:
    for step, colour in colours.items():
        _draw_curve(axis, table[table.step == step], colour)
    if not (table.low[table.step.isin(colours)] > 0).any():
        axis.text(0.5, 0.5, "nothing told from zero", transform=axis.transAxes, ha="center", va="center", fontsize=8)
    axis.set(xscale="log", yscale="log")


def _draw_curve(axis: Axes, curve: pd.DataFrame, colour: Colour) -> None:
    """Draw the bins that resampled contexts tell from zero, with their band."""
    resolved = curve.low > 0
    axis.plot(curve.rank_mid, curve.value.where(resolved), color=colour, lw=1.4, marker=".", ms=3)
    draw_band(axis, curve.rank_mid, curve.low.where(resolved), curve.high.where(resolved), colour)


def _scale(axes: np.ndarray, table: pd.DataFrame) -> None:
    first = axes[0, 0]
    largest = table.high.max()
    if not (table.low > 0).any():  # no values for logarithmic axes to take their limits from
        top = largest if largest > 0 else 1.0
        first.set(xlim=(1, table.rank_mid.max()), ylim=(top / _DECADES, top))
    elif first.get_ylim()[0] < largest / _DECADES:
        first.set_ylim(bottom=largest / _DECADES)
    for axis in axes.ravel():
        log_axis(axis.yaxis)
        log_axis(axis.xaxis)
        compact(axis)
    for axis in axes[-1]:
        axis.set_xlabel("rank of the neuron", fontsize=8)
