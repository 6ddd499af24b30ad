"""How much the neurons of each layer act, over steps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rare_neurons.figures.parts.across import AxisName, across, named_columns
from rare_neurons.figures.parts.legends import legend
from rare_neurons.figures.parts.sides import by_side, of_side
from rare_neurons.figures.parts.ticks import compact, log_axis
from rare_neurons.figures.style import axes_or_one, chosen, chosen_models, chosen_strata, nothing_to_draw, of_panel
from rare_neurons.results import load_timeline

_RESOLVED = 2.0  # standard errors from which a mean square is more than noise
_PARTS = ("whole", "within")


def plot_layers(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    controls: Sequence[str] = (),
    strata: Sequence[str] | None = None,
    part: Literal["whole", "within"] | None = None,
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the rms influence of each layer's neurons at every step: a column for each stratum and part.

    Mean squares are averaged over the runs, below them over the controls. Cells whose mean square is within its own
    noise are hatched. `axis` names the steps by training tokens or overall loss. `strata` and `part` of the loss are
    all by default. `figure` is drawn into instead of a new one, or `ax` where there is one panel, stratum and part and
    no control.
    """
    models = chosen_models(results, models)
    tables = by_side(models, controls, lambda names: _mean_squares(results, names))
    if not tables:
        return nothing_to_draw(figure, ax)
    everything, parts = pd.concat(tables.values()), chosen("part", part, _PARTS)
    columns = [key for key, _ in everything.groupby(["panel", "stratum", "part"], sort=False) if key[2] in parts]
    shown = chosen_strata(strata, everything.stratum)
    columns = [key for key in columns if key[1] in shown]
    few = f"one axis for {len(tables) * len(columns)} maps; name one stratum, one part and no control, or give figure="
    place = {"figure": figure, "ax": ax, "too_many": few, "sharex": True, "sharey": True}
    figure, axes = axes_or_one(len(tables), len(columns), width=2.9, height=2.6, **place)
    norm = _norm(np.sqrt(everything.square[everything.resolved].to_numpy()))
    steps, along = sorted(set(everything.step)), across(results, [*models, *controls], axis)
    for row, (side, table) in zip(axes, tables.items(), strict=True):
        for one, (panel, stratum, name) in zip(row, columns, strict=True):
            mine = table[(table.panel == panel) & (table.stratum == stratum) & (table.part == name)]
            _draw_map(one, mine, steps, norm)
            one.set_title(f"{stratum}, {name}{of_panel(table, panel)}{of_side(side, tables)}", fontsize=8.5)
        row[0].set_ylabel("layer", fontsize=8)
    for one in axes[-1]:
        named_columns(one, steps, models, along)
    _explain(figure, axes, norm, ax)
    return figure


def _explain(figure: Figure, axes: np.ndarray, norm: LogNorm | None, ax: Axes | None) -> None:
    if norm is not None:
        bar = figure.colorbar(ScalarMappable(norm, "viridis"), ax=ax or axes, shrink=0.8, pad=0.02)
        bar.set_label("rms influence of a neuron\n(nats per token)", fontsize=8)
        log_axis(bar.ax.yaxis)
        compact(bar.ax)
    hatched = Patch(hatch="////", edgecolor="0.8", facecolor="white", label="within its noise")
    legend(figure, {}, [], more=[hatched], ax=ax)


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


def _norm(values: np.ndarray) -> LogNorm | None:
    """Colours of these values; None where there are none, and nothing is coloured."""
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    return LogNorm(low, high if high > low else 2 * low)


def _draw_map(axis: Axes, table: pd.DataFrame, steps: Sequence[int], norm: LogNorm | None) -> None:
    layers = sorted(set(table.layer))
    place = table.assign(x=table.step.map(steps.index), y=table.layer.map(layers.index))
    values = np.full((len(layers), len(steps)), np.nan)
    good = place[place.resolved]
    values[good.y, good.x] = np.sqrt(good.square)
    axis.pcolormesh(np.arange(len(steps) + 1), np.arange(len(layers) + 1), values, norm=norm, cmap="viridis")
    axis.patch.set(hatch="////", edgecolor="0.8", facecolor="white")
    every = max(1, len(layers) // 12)
    axis.set_yticks(np.arange(0, len(layers), every) + 0.5, [str(layer) for layer in layers[::every]], fontsize=7)
