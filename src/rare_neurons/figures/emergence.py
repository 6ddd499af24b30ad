"""When each declared quantity sets in."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rare_neurons.figures.style import COLOURS, OTHERS, chosen_models, of_panel, one_axis, step_axis, x
from rare_neurons.results import load_integrity, load_timeline


def plot_emergence(
    results: str | Path,
    subject: str,
    models: Sequence[str] | None = None,
    *,
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the onset of every declared quantity as the interval between two checkpoints, or what was not detected.

    `models` are those of the subject, for the axis of steps. `figure` or `ax` is drawn into instead of a new figure.
    """
    table = load_timeline(results, "emergence", models=subject, pandas=True)
    steps = load_integrity(results, models=chosen_models(results, models), pandas=True).step
    figure, axis = one_axis(width=7.5, height=0.42 * len(table) + 1.5, figure=figure, ax=ax)
    for row, (_, onset) in enumerate(table.iterrows()):
        if onset.detected:
            _draw_onset(axis, row, onset)
        else:
            place = {"va": "center", "transform": axis.get_yaxis_transform()}
            axis.text(0.02, row, _not_detected(onset), fontsize=8, color="0.4", **place)
    labels = [f"{row.quantity}{of_panel(table, row.panel)}" for row in table.itertuples()]
    axis.set_yticks(range(len(table)), labels)
    axis.set(ylim=(len(table) - 0.5, -0.5), title=f"{subject}: onset between two checkpoints")
    step_axis(axis, steps)
    return figure


def _draw_onset(axis: Axes, row: int, onset: pd.Series) -> None:
    colour = COLOURS.get(onset.stratum, OTHERS[0])
    after, by = x([0 if pd.isna(onset.onset_after) else onset.onset_after, onset.onset_by])
    axis.plot([after, by], [row, row], color=colour, lw=6, solid_capstyle="butt")
    if pd.notna(onset.onset_low) and pd.notna(onset.onset_high):
        axis.plot(x([onset.onset_low, onset.onset_high]), [row, row], color=colour, lw=1.5)


def _not_detected(onset: pd.Series) -> str:
    if onset.status != "ok":
        return onset.status.replace("_", " ")
    effect = "" if pd.isna(onset.minimal_effect) else f"; an even change of {onset.minimal_effect:.2g} would be"
    # The p that decided: adjusted for all quantities asked.
    return f"not detected (p = {onset.p_adjusted:.2f}{effect})"
