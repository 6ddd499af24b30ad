"""What kinds of neurons each layer has, over steps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rare_neurons.figures.parts.across import AxisName, across, named_columns
from rare_neurons.figures.parts.legends import legend
from rare_neurons.figures.parts.sides import by_side, of_side
from rare_neurons.figures.style import axes_or_one, chosen, chosen_models, nothing_to_draw, of_panel
from rare_neurons.results import load_timeline

_COLOURS = {
    "dead": ("black", ""),
    "token_detector": ("#0072B2", ""),
    "bigram_detector": ("#009E73", "////"),
    "trigram_detector": ("#56B4E9", "...."),
    "undecided": ("#BBBBBB", ""),
}
"""Colour and, for a grey print, hatch."""
_LEAST_HEIGHT = 0.02  # of the axis, as a share: one neuron of a few hundred is not drawn as if it were all


def plot_kinds(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    controls: Sequence[str] = (),
    layer: int | None = None,
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the share of each layer's neurons that are of each kind, one bar a step: a column for each layer.

    Shares are averaged over the runs, below them over the controls; what is left up to one is of no kind. The MLP of
    the first layer of a parallel model sees the current token alone: its title says that it is not counted. `axis`
    names the bars by training tokens or overall loss. `layer` draws one alone, and then, without controls, `ax` can be
    drawn into; `figure` is drawn into instead of a new one.
    """
    models = chosen_models(results, models)
    tables = by_side(models, controls, lambda names: _shares(results, names))
    if not tables:
        return nothing_to_draw(figure, ax)
    everything = pd.concat(tables.values())
    layers = chosen("layer", layer, sorted(set(everything.layer)))
    columns = [(panel, one) for panel in dict.fromkeys(everything.panel) for one in layers]
    few = f"one axis for {len(tables) * len(columns)} layers and sides; name one layer and no control, or give figure="
    place = {"figure": figure, "ax": ax, "too_many": few, "sharex": True, "sharey": True}
    figure, axes = axes_or_one(len(tables), len(columns), width=2.6, height=2.4, **place)
    steps, along = sorted(set(everything.step)), across(results, [*models, *controls], axis)
    for row, (side, table) in zip(axes, tables.items(), strict=True):
        for one, (panel, number) in zip(row, columns, strict=True):
            mine = table[(table.panel == panel) & (table.layer == number)]
            _draw_bars(one, mine, steps)
            uncounted = "" if mine.counted.all() else ", not counted"
            one.set_title(f"layer {number}{uncounted}{of_panel(table, panel)}{of_side(side, tables)}", fontsize=9)
        row[0].set_ylabel("share of neurons (0 to 1)", fontsize=8)
        row[0].tick_params(axis="y", labelsize=8)
    named = everything[everything.kind.isin(_COLOURS) & everything.layer.isin(layers)]
    tallest = named.groupby(["panel", "layer", "step"]).share.sum().max()
    axes[0, 0].set_ylim(0, max(_LEAST_HEIGHT, 1.1 * float(tallest)))
    for one in axes[-1]:
        named_columns(one, steps, models, along)
    legend(figure, {}, [], more=_explained(), ax=ax)
    return figure


def _explained() -> list[Patch]:
    return [Patch(**_look(kind), label=kind.replace("_", " ")) for kind in _COLOURS]


def _look(kind: str) -> dict[str, object]:
    colour, hatch = _COLOURS[kind]
    return {"facecolor": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0}


def _shares(results: str | Path, models: Sequence[str]) -> pd.DataFrame:
    """Mean over models of the share of every kind."""
    table = load_timeline(results, "kinds", models=models)
    table = table[~table.quarantined.astype(bool)]
    keys = ["panel", "layer", "kind", "step"]
    return table.groupby(keys, sort=False).agg(share=("share", "mean"), counted=("counted", "all")).reset_index()


def _draw_bars(axis: Axes, table: pd.DataFrame, steps: Sequence[int]) -> None:
    below, places = np.zeros(len(steps)), np.arange(len(steps)) + 0.5
    for kind in _COLOURS:
        share = table[table.kind == kind].set_index("step").share.reindex(steps).fillna(0.0).to_numpy()
        axis.bar(places, share, bottom=below, width=0.8, **_look(kind))
        below = below + share
    if not below.any():
        axis.text(0.5, 0.5, "none", transform=axis.transAxes, ha="center", va="center", fontsize=8)
