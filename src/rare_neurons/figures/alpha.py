"""Power-law exponents of the weight matrices over steps, beside those of Gaussian matrices."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rare_neurons.figures.parts.across import Across, AxisName, across
from rare_neurons.figures.parts.bands import draw_band
from rare_neurons.figures.parts.legends import Handle, draw_quarantined, legend, mark, quarantine_marks
from rare_neurons.figures.parts.ticks import compact, log_axis
from rare_neurons.figures.style import (
    axes_or_one,
    chosen,
    chosen_models,
    keep_drawn,
    layer_colour,
    nothing_to_draw,
    styles,
)
from rare_neurons.results import load_integrity, load_timeline

_COLUMNS = 3
_NULL = "0.85"


def plot_alpha(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    controls: Sequence[str] = (),
    matrix: str | None = None,
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the power-law exponent of every weight matrix over steps, and when it leaves its null.

    Grey is where nine in ten Gaussian matrices of the shape lie, a dot the checkpoint by which a matrix has left it.
    Each axis says from which steps on the runs' matrices, and those of the `controls`, are outside. `axis` draws
    them over training tokens or overall loss. `matrix` draws one kind of matrix alone, and then `ax` can be drawn into;
    `figure` is drawn into instead of a new one.
    """
    models = chosen_models(results, models)
    beside = [model for model in controls if model not in models]
    table = load_timeline(results, "alpha", models=models, include_quarantined=True)
    kinds = chosen("matrix", matrix, dict.fromkeys(table.sort_values("layer", na_position="last").matrix))
    if table.alpha.isna().all():  # also where every matrix has too few eigenvalues for a tail
        return nothing_to_draw(figure, ax)
    events = load_timeline(results, "alpha_events", models=[*models, *beside])
    events = events[events.quantity == "alpha"]
    verdicts, along = load_integrity(results, models=models), across(results, models, axis, table)
    layers = sorted(set(table.layer.dropna()))
    n = len(kinds)
    few = f"one axis for {n} kinds of matrices; name one by matrix=, or give figure= instead"
    place = {"figure": figure, "ax": ax, "too_many": few}
    figure, axes = axes_or_one(-(-n // _COLUMNS), min(n, _COLUMNS), width=2.4, height=2.4, **place)
    for one, kind in zip(axes.ravel(), kinds, strict=False):
        mine = events[events.matrix == kind]
        _draw_kind(one, table[table.matrix == kind], mine, models, layers, along)
        own, other = (mine[mine.model.isin(names)] for names in (models, beside))
        said = f"outside {_said(own)}" + (f"\ncontrol: {_said(other)}" if beside else "")
        one.set_title(kind, pad=22 if beside else 13, fontsize=9)
        one.text(0.5, 1.02, said, transform=one.transAxes, ha="center", va="bottom", fontsize=7)
        if table[table.matrix == kind].alpha.notna().any():
            one.set(yscale="log")
            log_axis(one.yaxis)
        along.dress(one, table.step)
        compact(one)
        draw_quarantined(one, verdicts, along)
    for one in keep_drawn(axes, len(kinds)):
        if one.get_subplotspec().is_first_col():
            one.set_ylabel("alpha (exponent)", fontsize=8)
    colours = {f"layer {int(layer)}": layer_colour(layer, layers) for layer in layers}
    if table.layer[table.matrix.isin(kinds)].isna().any():
        colours["of no layer"] = layer_colour(float("nan"), layers)
    legend(figure, colours, models, more=[*_marks(table), *quarantine_marks(verdicts)], ax=ax)
    return figure


def _draw_kind(
    axis: Axes,
    table: pd.DataFrame,
    events: pd.DataFrame,
    models: Sequence[str],
    layers: Sequence[float],
    along: Across,
) -> None:
    for style, model in zip(styles(), models, strict=False):
        for layer, lines in table[table.model == model].groupby("layer", dropna=False):
            lines, colour = lines.sort_values("step"), layer_colour(layer, layers)
            held, jumped = lines.quarantined, lines.xmin_jump.eq(True)
            axis.plot(along.of(lines.step, model), lines.alpha.where(~held), ls=style, color=colour, marker=".", ms=3)
            axis.plot(along.of(lines.step[jumped], model), lines.alpha[jumped], "|", color=colour, ms=9)
            mark(axis, along.of(lines.step[held], model), lines.alpha[held])
            same = events.layer.isna() if layer != layer else events.layer == layer
            left = lines[lines.step.isin(events.by_step[same & (events.model == model)].dropna())]
            axis.plot(along.of(left.step, model), left.alpha, "o", color=colour, ms=5)
    for _, null in table.groupby(["rows", "cols"]):  # kinds have one shape, but for their place in the layers
        null = null.dropna(subset=["alpha_null_low"]).drop_duplicates("step").sort_values("step")
        draw_band(axis, along.of(null.step, models), null.alpha_null_low, null.alpha_null_high, _NULL, 1)


def _said(events: pd.DataFrame) -> str:
    """Say from which steps on the matrices are outside, and how many are not."""
    left = events.by_step.dropna()
    if left.empty:
        return "never"
    low, high = int(left.min()), int(left.max())
    steps = f"from step {low:,}" if low == high else f"from step {low:,} to {high:,}"
    return steps if len(left) == len(events) else f"{steps} ({len(left)} of {len(events)})"


def _marks(table: pd.DataFrame) -> list[Handle]:
    """Legend of what is drawn beside the lines."""
    black = {"color": "black", "ls": ""}
    more = [
        Patch(color=_NULL, label="90 % of Gaussian matrices of the shape"),
        Line2D([], [], marker="o", label="leaves", **black),
    ]
    if table.xmin_jump.eq(True).any():
        more.append(Line2D([], [], marker="|", ms=9, label="tail starts elsewhere", **black))
    return more
