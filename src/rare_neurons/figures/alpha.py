"""Power-law exponents of the weight matrices over steps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rare_neurons.figures.style import (
    chosen_models,
    draw_quarantined,
    grid,
    layer_colour,
    legend,
    mark,
    nothing_to_draw,
    plain_log_axis,
    step_axis,
    styles,
    x,
)
from rare_neurons.results import load_integrity, load_timeline

_COLUMNS = 3


def plot_alpha(results: str | Path, models: Sequence[str] | None = None, *, figure: Figure | None = None) -> Figure:
    """Draw the power-law exponent of every weight matrix over steps, beside its shuffled null (grey).

    `figure` is drawn into instead of a new one.
    """
    models = chosen_models(results, models)
    table = load_timeline(results, "spectra", models=models, include_quarantined=True, pandas=True)
    kinds = list(dict.fromkeys(table.sort_values("layer", na_position="last").matrix))
    if not kinds:
        return nothing_to_draw(figure)
    verdicts = load_integrity(results, models=models, pandas=True)
    layers = sorted(set(table.layer.dropna()))
    figure, axes = grid(-(-len(kinds) // _COLUMNS), _COLUMNS, width=3.4, height=2.6, figure=figure)
    for axis, kind in zip(axes.ravel(), kinds, strict=False):
        _draw_kind(axis, table[table.matrix == kind], models, layers)
        axis.set(title=kind, yscale="log")
        plain_log_axis(axis)
        step_axis(axis, table.step)
        draw_quarantined(axis, verdicts)
    _tidy(axes, len(kinds))
    legend(figure, {f"layer {int(layer)}": layer_colour(layer, layers) for layer in layers}, models)
    return figure


def _draw_kind(axis: Axes, table: pd.DataFrame, models: Sequence[str], layers: Sequence[float]) -> None:
    shuffled = table.alpha_shuffled.notna().any()
    for style, model in zip(styles(), models, strict=False):
        mine = table[table.model == model]
        for layer, lines in mine.groupby("layer", dropna=False):
            lines = lines.sort_values("step")
            held = lines.quarantined
            axis.plot(x(lines.step), lines.alpha.where(~held), style, color=layer_colour(layer, layers))
            mark(axis, lines.step[held], lines.alpha[held])
        if shuffled:
            null = mine.groupby("step")
            low, high = null.alpha_shuffled_low.min(), null.alpha_shuffled_high.max()
            axis.fill_between(x(low.index), low, high, color="0.8", lw=0, zorder=0)


def _tidy(axes: np.ndarray, n_drawn: int) -> None:
    """Remove the axes that nothing is drawn on, and label the first of each row."""
    for axis in axes.ravel()[n_drawn:]:
        axis.remove()
    for axis in axes.ravel()[:n_drawn]:
        if axis.get_subplotspec().is_first_col():
            axis.set_ylabel("alpha")
