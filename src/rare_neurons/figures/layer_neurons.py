"""The strongest neurons of every layer, over steps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rare_neurons.figures.parts.good import of_good_checkpoints
from rare_neurons.figures.style import OTHERS, band, chosen_models, grid, nothing_to_draw, of_panel, step_axis, x
from rare_neurons.results import load_shards

_N_TOP, _MOST_LAYERS = 5, 6
_COLOURS = ("#0072B2", "#D55E00", *OTHERS, "black", "#999999")
_NORMAL = 1.645  # 90 %


def plot_layer_neurons(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    n_top: int = _N_TOP,
    figure: Figure | None = None,
) -> Figure:
    """Draw the within-stratum influence of each layer's strongest neurons over steps, for the first run.

    They are chosen at the last step, so what came before is theirs alone; another run has other neurons. Bands are 90 %
    intervals of approximation and sampling together. Of many layers six are drawn, the first and last among them.
    `figure` is drawn into instead of a new one.
    """
    model = chosen_models(results, models)[0]
    table = load_shards(results, "layer_influence", models=[model])
    table = of_good_checkpoints(results, table, [model])
    table = table.dropna(subset=["influence_within"])
    if not len(table):
        return nothing_to_draw(figure)
    rows = [key for key, _ in table.groupby(["panel", "stratum"], sort=False)]
    layers = _some(sorted(set(table.layer)))
    figure, axes = grid(len(rows), len(layers), width=2.7, height=2.4, figure=figure, sharex=True, sharey="row")
    for row, (panel, stratum) in zip(axes, rows, strict=True):
        for axis, layer in zip(row, layers, strict=True):
            mine = table[(table.panel == panel) & (table.stratum == stratum) & (table.layer == layer)]
            _draw_neurons(axis, mine, n_top)
            axis.set_title(f"{stratum}, layer {layer}{of_panel(table, panel)}", fontsize=9)
        row[0].set_ylabel("influence within stratum\n(nats per token)")
    for axis in axes[-1]:
        step_axis(axis, table.step)
    figure.suptitle(model, fontsize=9)
    interval = band("black", "90 % interval", alpha=0.15)
    figure.legend(handles=[interval], loc="outside lower right", frameon=False, fontsize=8)
    return figure


def _some(layers: Sequence[int]) -> list[int]:
    wanted = np.unique(np.linspace(0, len(layers) - 1, min(len(layers), _MOST_LAYERS)).round().astype(int))
    return [layers[i] for i in wanted]


def _draw_neurons(axis: Axes, table: pd.DataFrame, n_top: int) -> None:
    end = table[table.step == table.step.max()]
    top = end.reindex(end.influence_within.abs().sort_values(ascending=False).index).neuron[:n_top]
    axis.axhline(0, color="0.7", lw=0.8)
    for k, neuron in enumerate(top):
        line = table[table.neuron == neuron].sort_values("step")
        colour = _COLOURS[k % len(_COLOURS)]
        half = _NORMAL * np.hypot(line.influence_within_error, line.influence_within_se)
        axis.plot(x(line.step), line.influence_within, color=colour, marker=".", ms=4, lw=1.2, label=str(neuron))
        axis.fill_between(
            x(line.step), line.influence_within - half, line.influence_within + half, color=colour, alpha=0.15, lw=0
        )
    axis.legend(fontsize=7, frameon=False, title="neuron", title_fontsize=7, ncols=2)
