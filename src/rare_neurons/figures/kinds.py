"""What kinds of neurons each layer has, over steps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rare_neurons.figures.style import chosen_models, grid, nothing_to_draw, of_panel
from rare_neurons.results import load_timeline

_COLOURS = {
    "dead": "black",
    "token_detector": "#0072B2",
    "bigram_detector": "#009E73",
    "trigram_detector": "#56B4E9",
    "undecided": "#BBBBBB",
}
_LEAST_HEIGHT = 0.02  # of the axis, as a share: one neuron of a few hundred is not drawn as if it were all


def plot_kinds(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    controls: Sequence[str] = (),
    figure: Figure | None = None,
) -> Figure:
    """Draw the share of each layer's neurons that are of each kind, one bar a step: a column for each layer.

    Shares are averaged over the runs, below them over the controls; what is left up to one is of no kind. The MLP of
    the first layer of a parallel model sees the current token alone: its title says that it is not counted. `figure`
    is drawn into instead of a new one.
    """
    models = chosen_models(results, models)
    sides = {"runs": models, "controls": list(controls)}
    tables = {side: _shares(results, names) for side, names in sides.items() if names}
    tables = {side: table for side, table in tables.items() if len(table)}
    if not tables:
        return nothing_to_draw(figure)
    everything = pd.concat(tables.values())
    columns = [key for key, _ in everything.groupby(["panel", "layer"], sort=False)]
    figure, axes = grid(len(tables), len(columns), width=2.6, height=2.4, figure=figure, sharex=True, sharey=True)
    steps = sorted(set(everything.step))
    for row, (side, table) in zip(axes, tables.items(), strict=True):
        for axis, (panel, layer) in zip(row, columns, strict=True):
            mine = table[(table.panel == panel) & (table.layer == layer)]
            _draw_bars(axis, mine, steps)
            who = f": {side}" if side == "controls" or len(tables) > 1 else ""
            uncounted = "" if mine.counted.all() else ", not counted"
            axis.set_title(f"layer {layer}{uncounted}{of_panel(table, panel)}{who}", fontsize=9)
        row[0].set_ylabel("share of neurons (0 to 1)")
    named = everything[everything.kind.isin(_COLOURS)]
    tallest = named.groupby(["panel", "layer", "step"]).share.sum().max()
    axes[0, 0].set_ylim(0, max(_LEAST_HEIGHT, 1.1 * float(tallest)))
    for axis in axes[-1]:
        axis.set_xlabel("step")
    handles = [Patch(color=colour, label=kind.replace("_", " ")) for kind, colour in _COLOURS.items()]
    figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=8)
    return figure


def _shares(results: str | Path, models: Sequence[str]) -> pd.DataFrame:
    """Mean over models of the share of every kind."""
    table = load_timeline(results, "kinds", models=models)
    table = table[~table.quarantined.astype(bool)]
    keys = ["panel", "layer", "kind", "step"]
    return table.groupby(keys, sort=False).agg(share=("share", "mean"), counted=("counted", "all")).reset_index()


def _draw_bars(axis: Axes, table: pd.DataFrame, steps: Sequence[int]) -> None:
    below = np.zeros(len(steps))
    for kind, colour in _COLOURS.items():
        share = table[table.kind == kind].set_index("step").share.reindex(steps).fillna(0.0).to_numpy()
        axis.bar(range(len(steps)), share, bottom=below, color=colour, width=0.8)
        below = below + share
    axis.set_xticks(range(len(steps)), [f"{step:,}" for step in steps], rotation=90, fontsize=7)
