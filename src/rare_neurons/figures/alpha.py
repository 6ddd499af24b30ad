"""Power-law exponents of the weight matrices over steps."""

from collections.abc import Sequence
from pathlib import Path

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


def plot_alpha(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw the power-law exponent of every weight matrix over steps, beside its shuffled null (grey)."""
    models = chosen_models(results, models)
    table = load_timeline(results, "spectra", models=models, include_quarantined=True, pandas=True)
    kinds = list(dict.fromkeys(table.sort_values("layer", na_position="last").matrix))
    if not kinds:
        return nothing_to_draw()
    layers = sorted(set(table.layer.dropna()))
    columns = 3
    figure, axes = grid(-(-len(kinds) // columns), columns, width=3.4, height=2.6)
    flat = axes.ravel()
    for axis, kind in zip(flat, kinds, strict=False):
        for style, model in zip(styles(), models, strict=False):
            for layer, lines in table[(table.matrix == kind) & (table.model == model)].groupby("layer", dropna=False):
                lines = lines.sort_values("step")
                held = lines.quarantined
                axis.plot(x(lines.step), lines.alpha.where(~held), style, color=layer_colour(layer, layers))
                mark(axis, lines.step[held], lines.alpha[held])
            null = table[(table.matrix == kind) & (table.model == model)].groupby("step")
            if table.alpha_shuffled.notna().any():
                low, high = null.alpha_shuffled_low.min(), null.alpha_shuffled_high.max()
                axis.fill_between(x(low.index), low, high, color="0.8", lw=0, zorder=0)
        axis.set(title=kind, yscale="log")
        plain_log_axis(axis)
        step_axis(axis, table.step)
        draw_quarantined(axis, load_integrity(results, models=models, pandas=True))
    for axis in flat[len(kinds) :]:
        axis.remove()
    for axis in flat[: len(kinds)]:
        if axis.get_subplotspec().is_first_col():
            axis.set_ylabel("alpha")
    legend(figure, {f"layer {int(layer)}": layer_colour(layer, layers) for layer in layers}, models)
    return figure
