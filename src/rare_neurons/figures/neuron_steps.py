"""The strongest neurons of the final MLP at every step."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from rare_neurons.figures.parts.across import AxisName, across, named_columns
from rare_neurons.figures.parts.good import of_good_checkpoints
from rare_neurons.figures.parts.legends import explain
from rare_neurons.figures.parts.ticks import power
from rare_neurons.figures.style import NORMAL, axes_or_one, chosen_models, named, nothing_to_draw, of_panel, on_panels
from rare_neurons.results import load_shards

_N_TOP = 24
_POINTS, _LINE = 72, 10
"""Points in an inch, and of a line of text with the room that a layout may take from it."""
_COLUMNS = ["panel", "model", "step", "neuron", "stratum", "influence_within", "influence_within_se"]


def plot_neuron_steps(
    results: str | Path,
    models: Sequence[str] | None = None,
    strata: Sequence[str] = ("common", "rare"),
    *,
    controls: Sequence[str] = (),
    axis: AxisName = "step",
    panel: str | None = None,
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw a heat map, neuron by step, of the within-stratum influence of the first run, below it of the first control.

    Neurons are the 24 that are strongest on the last of the strata at the last good step, strongest on top, the same
    in all columns; what came before is theirs alone, the last step also chose them. Hatched: within 90 % of zero.
    `axis` names the columns by training tokens or overall loss. `figure` is drawn into instead of a new one, or `ax`
    where there is one panel and stratum and no control.
    """
    names = [*chosen_models(results, models)[:1], *controls[:1]]
    table = load_shards(results, "influence", models=names, columns=_COLUMNS)
    table = of_good_checkpoints(results, table, names)
    strata = [name for name in strata if name in set(table.stratum)] or list(dict.fromkeys(table.stratum))
    table = on_panels(table[table.stratum.isin(strata)], panel)
    rows = [key for key, _ in table.groupby(["panel", "model"], sort=False)]
    if not rows:
        return nothing_to_draw(figure, ax)
    few = f"one axis for {len(rows) * len(strata)} maps; name one stratum and no control, or give figure="
    place = {"figure": figure, "ax": ax, "too_many": few}
    figure, axes = axes_or_one(len(rows), len(strata), width=3.4, height=3.5, **place)
    norm, along = _norm(table), across(results, names, axis)
    for row, (of, model) in zip(axes, rows, strict=True):
        of_row = table[(table.panel == of) & (table.model == model)]
        top = _top(of_row[of_row.stratum == strata[-1]])
        steps = sorted(set(of_row.step))
        for one, stratum in zip(row, strata, strict=True):
            _draw_map(one, of_row[of_row.stratum == stratum], top, steps, norm)
            one.set_title(f"{named(model, controls)}: {stratum}{of_panel(table, of)}", fontsize=9)
            named_columns(one, steps, model, along)
        row[0].set_ylabel("neuron", fontsize=8)
    _explain(figure, axes, norm, ax)
    return figure


def _top(table: pd.DataFrame) -> list[int]:
    end = table[table.step == table.step.max()]
    order = end.influence_within.abs().sort_values(ascending=False, kind="stable").index
    return end.loc[order].neuron[:_N_TOP].astype(int).tolist()


def _norm(table: pd.DataFrame) -> SymLogNorm:
    """Linear below the median noise, logarithmic beyond."""
    largest = float(table.influence_within.abs().max()) or 1.0
    noise = float(table.influence_within_se.median()) * NORMAL
    linear = min(max(noise, largest / 100), largest / 2)
    return SymLogNorm(linear, vmin=-largest, vmax=largest)


def _draw_map(axis: Axes, table: pd.DataFrame, top: Sequence[int], steps: Sequence[int], norm: SymLogNorm) -> None:
    mine = table[table.neuron.isin(top)]
    values, noise = (
        mine.pivot(index="neuron", columns="step", values=column).reindex(index=top, columns=steps).to_numpy(float)
        for column in ("influence_within", "influence_within_se")
    )
    beyond = np.where(np.abs(values) > NORMAL * noise, values, np.nan)
    axis.patch.set(hatch="////", edgecolor="0.8", facecolor="white")
    axis.pcolormesh(np.arange(len(steps) + 1), np.arange(len(top) + 1), beyond, norm=norm, cmap="RdBu_r")
    axis.set_yticks(np.arange(len(top)) + 0.5, [str(neuron) for neuron in top], fontsize=7)
    axis.set_ylim(len(top), 0)


def _explain(figure: Figure, axes: np.ndarray, norm: SymLogNorm, ax: Axes | None) -> None:
    bar = figure.colorbar(ScalarMappable(norm, "RdBu_r"), ax=ax or axes, shrink=0.6, pad=0.02)
    bar.set_label("influence within stratum (nats per token)", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    powers = 10.0 ** np.arange(np.ceil(np.log10(norm.linthresh)), np.log10(norm.vmax) + 1)
    shown = powers[powers <= norm.vmax]
    ticks = {float(sign * size): power(sign * size) for size in shown for sign in (-1, 1)}
    bar.set_ticks([*ticks, 0.0], labels=[*ticks.values(), "0"])
    bar.ax.yaxis.set_minor_locator(NullLocator())
    hatched = [Patch(hatch="////", edgecolor="0.8", facecolor="white", label="within 90 % of zero")]
    if ax is None:
        explain(figure, hatched)
    else:
        ax.set_title(ax.get_title(), fontsize=9, pad=16)
        ax.legend(handles=hatched, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False, fontsize=7)
        _name_some(ax)


def _name_some(axis: Axes) -> None:
    """Name as many neurons as a caller's axis has room for."""
    height = axis.get_window_extent().height / axis.figure.dpi * _POINTS
    names = [label.get_text() for label in axis.get_yticklabels()]
    every = -(-len(names) * _LINE // int(height))
    axis.set_yticks(axis.get_yticks()[::every], names[::every], fontsize=7)
