"""The verdict on every checkpoint."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.figures.style import QUARANTINED, VERDICTS, chosen_models, one_axis
from rare_neurons.results import load_integrity


def plot_integrity(
    results: str | Path,
    models: Sequence[str] | None = None,
    *,
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the verdict on every checkpoint as a strip: one row per model, one cell per step.

    `figure` or `ax` is drawn into instead of a new figure.
    """
    models = chosen_models(results, models)
    table = load_integrity(results, models=models)
    steps = sorted(set(table.step))
    size = {"width": max(5.0, 0.28 * len(steps) + 2), "height": 0.5 * len(models) + 1.3}
    figure, axis = one_axis(**size, figure=figure, ax=ax)
    shown = {}
    for row, model in enumerate(models):
        shown |= _draw_strip(axis, row, table[table.model == model], steps)
    every = max(1, len(steps) // 16)
    axis.set_xticks(range(0, len(steps), every), [f"{s:,}" for s in steps[::every]], rotation=60)
    axis.set_yticks(range(len(models)), models)
    axis.set(xlabel="step", xlim=(-0.6, len(steps) - 0.4), ylim=(len(models) - 0.5, -0.5))
    handles = [axis.barh(0, 0, color=colour, label=status) for status, colour in shown.items()]
    if table.quarantined.any():
        handles.append(Line2D([], [], color="black", marker="x", ms=5, ls="none", label="quarantined"))
    if ax is None:
        figure.legend(handles=handles, loc="outside upper right", ncols=6, frameon=False)
    else:
        ax.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=6, frameon=False)
    return figure


def _draw_strip(axis: Axes, row: int, verdicts: pd.DataFrame, steps: Sequence[int]) -> dict[str, str]:
    """Return the colours of the statuses drawn."""
    shown = {}
    for _, verdict in verdicts.iterrows():
        colour = shown[verdict.status] = VERDICTS.get(verdict.status, QUARANTINED)
        place = steps.index(verdict.step)
        axis.barh(row, 0.9, left=place - 0.45, height=0.8, color=colour)
        if verdict.quarantined:
            axis.plot(place, row, "x", color="black", ms=5)
    return shown
