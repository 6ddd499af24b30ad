"""The strongest neurons of every layer, over steps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rare_neurons.figures.parts.across import Across, AxisName, across
from rare_neurons.figures.parts.bands import OPACITY, draw_band
from rare_neurons.figures.parts.good import of_good_checkpoints
from rare_neurons.figures.parts.legends import band, explain
from rare_neurons.figures.parts.ticks import compact, small_numbers
from rare_neurons.figures.style import (
    NORMAL,
    OTHERS,
    axes_or_one,
    chosen,
    chosen_models,
    chosen_strata,
    nothing_to_draw,
    of_panel,
)
from rare_neurons.results import load_shards

_N_TOP, _MOST_LAYERS = 5, 6
_COLOURS = ("#0072B2", "#D55E00", *OTHERS, "black", "#999999")


def plot_layer_neurons(
    results: str | Path,
    models: Sequence[str] | None = None,
    strata: Sequence[str] | None = None,
    *,
    layer: int | None = None,
    n_top: int = _N_TOP,
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the within-stratum influence of each layer's strongest neurons over steps, for the first run.

    They are chosen at the last step, so what came before is theirs alone; another run has other neurons. Bands are 90 %
    intervals of approximation and sampling together. Of many layers six are drawn, the first and last among them.
    `axis` draws over training tokens or overall loss. `figure` is drawn into instead of a new one, or `ax` where there
    is one panel, stratum and `layer`.
    """
    model = chosen_models(results, models)[0]
    table = load_shards(results, "layer_influence", models=[model])
    table = of_good_checkpoints(results, table, [model])
    table = table.dropna(subset=["influence_within"])
    table = table[table.stratum.isin(chosen_strata(strata, table.stratum))]
    if not len(table):
        return nothing_to_draw(figure, ax)
    rows = [key for key, _ in table.groupby(["panel", "stratum"], sort=False)]
    there = sorted(set(table.layer))
    layers = _some(there) if layer is None else chosen("layer", layer, there)
    few = f"one axis for {len(rows)} strata of {len(layers)} layers; name one of each, or give figure= instead"
    place = {"figure": figure, "ax": ax, "too_many": few, "sharex": True, "sharey": "row"}
    figure, axes = axes_or_one(len(rows), len(layers), width=2.7, height=2.4, **place)
    along = across(results, [model], axis)
    for row, (panel, stratum) in zip(axes, rows, strict=True):
        for one, number in zip(row, layers, strict=True):
            mine = table[(table.panel == panel) & (table.stratum == stratum) & (table.layer == number)]
            _draw_neurons(one, mine, n_top, along)
            one.set_title(f"{stratum}, layer {number}{of_panel(table, panel)}", fontsize=9)
        small_numbers(row[0].yaxis, "influence within stratum\n", "nats per token", fontsize=8)
    for one in axes[-1]:
        along.dress(one, table.step)
    for one in axes.ravel():
        compact(one)
    if ax is None:
        figure.suptitle(model, fontsize=9)
        interval = band("black", "90 % interval", alpha=OPACITY)
        explain(figure, [interval])
    return figure


def _some(layers: Sequence[int]) -> list[int]:
    wanted = np.unique(np.linspace(0, len(layers) - 1, min(len(layers), _MOST_LAYERS)).round().astype(int))
    return [layers[i] for i in wanted]


def _draw_neurons(axis: Axes, table: pd.DataFrame, n_top: int, along: Across) -> None:
    end = table[table.step == table.step.max()]
    top = end.reindex(end.influence_within.abs().sort_values(ascending=False).index).neuron[:n_top]
    axis.axhline(0, color="0.7", lw=0.8)
    for k, neuron in enumerate(top):
        line = table[table.neuron == neuron].sort_values("step")
        colour, places = _COLOURS[k % len(_COLOURS)], along.of(line.step, line.model.iloc[0])
        half = NORMAL * np.hypot(line.influence_within_error, line.influence_within_se)
        axis.plot(places, line.influence_within, color=colour, marker=".", ms=4, lw=1.2, label=str(neuron))
        draw_band(axis, places, line.influence_within - half, line.influence_within + half, colour)
    axis.legend(fontsize=7, frameon=False, title="neuron", title_fontsize=7, ncols=2)
