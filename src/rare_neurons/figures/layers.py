"""How much the neurons of each layer act, over steps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rare_neurons.figures.style import chosen_models, grid, nothing_to_draw, of_panel, power_log_axis
from rare_neurons.results import load_timeline

_RESOLVED = 2.0  # standard errors from which a mean square is more than noise
_PARTS = {"whole": "whole", "within": "within stratum"}


def plot_layers(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    controls: Sequence[str] = (),
    figure: Figure | None = None,
) -> Figure:
    """Draw the rms influence of each layer's neurons at every step: a column for each stratum and part.

    Mean squares are averaged over the runs, below them over the controls. Cells whose mean square is within its own
    noise are hatched. `figure` is drawn into instead of a new one.
    """
    models = chosen_models(results, models)
    sides = {"runs": models, "controls": list(controls)}
    tables = {side: _mean_squares(results, names) for side, names in sides.items() if names}
    tables = {side: table for side, table in tables.items() if len(table)}
    if not tables:
        return nothing_to_draw(figure)
    everything = pd.concat(tables.values())
    columns = [key for key, _ in everything.groupby(["panel", "stratum", "part"], sort=False)]
    figure, axes = grid(len(tables), len(columns), width=2.9, height=2.6, figure=figure, sharex=True, sharey=True)
    resolved = everything.square[everything.resolved]
    norm = _norm(np.sqrt(resolved.to_numpy()))
    for row, (side, table) in zip(axes, tables.items(), strict=True):
        for axis, (panel, stratum, part) in zip(row, columns, strict=True):
            mine = table[(table.panel == panel) & (table.stratum == stratum) & (table.part == part)]
            _draw_map(axis, mine, norm)
            who = side if side == "controls" or len(tables) > 1 else ""
            axis.set_title(f"{stratum}, {_PARTS[part]}{of_panel(table, panel)}{f': {who}' if who else ''}", fontsize=9)
        row[0].set_ylabel("layer")
    for axis in axes[-1]:
        axis.set_xlabel("step")
    bar = figure.colorbar(ScalarMappable(norm, "viridis"), ax=axes, shrink=0.8, pad=0.02)
    bar.set_label("rms influence of a neuron (nats per token)")
    power_log_axis(bar.ax)
    hatched = [Patch(hatch="////", edgecolor="0.8", facecolor="white", label="within its noise")]
    figure.legend(handles=hatched, loc="outside upper right", frameon=False, fontsize=8)
    return figure


def _mean_squares(results: str | Path, models: Sequence[str]) -> pd.DataFrame:
    """Mean over models of each layer's mean square, and whether it is beyond its noise."""
    table = load_timeline(results, "layer_audit", models=models)
    table = table.dropna(subset=["mean_square", "mean_square_se", "se_type_factor"])
    table = table.assign(mean_square_se=table.mean_square_se * table.se_type_factor.clip(lower=1))
    keys = ["panel", "stratum", "part", "layer", "step"]
    # The panel is shared: errors of its documents and types do not average out over models.
    means = table.groupby(keys, sort=False)[["mean_square", "mean_square_se"]].mean().reset_index()
    resolved = means.mean_square > _RESOLVED * means.mean_square_se
    return means.assign(square=means.mean_square, resolved=resolved)


def _norm(values: np.ndarray) -> LogNorm:
    if not len(values):
        return LogNorm(1e-6, 1e-3)
    low, high = float(values.min()), float(values.max())
    return LogNorm(low, high if high > low else 2 * low)


def _draw_map(axis: Axes, table: pd.DataFrame, norm: LogNorm) -> None:
    steps, layers = sorted(set(table.step)), sorted(set(table.layer))
    place = table.assign(x=table.step.map(steps.index), y=table.layer.map(layers.index))
    values = np.full((len(layers), len(steps)), np.nan)
    good = place[place.resolved]
    values[good.y, good.x] = np.sqrt(good.square)
    axis.pcolormesh(np.arange(len(steps) + 1), np.arange(len(layers) + 1), values, norm=norm, cmap="viridis")
    axis.patch.set(hatch="////", edgecolor="0.8", facecolor="white")
    axis.set_xticks(np.arange(len(steps)) + 0.5, [f"{step:,}" for step in steps], rotation=90, fontsize=7)
    every = max(1, len(layers) // 12)
    axis.set_yticks(np.arange(0, len(layers), every) + 0.5, [str(layer) for layer in layers[::every]], fontsize=7)
