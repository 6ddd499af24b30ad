"""Every claim beside its controls."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.figures.style import grid, nothing_to_draw, of_panel
from rare_neurons.results import load_claims

_VERDICTS = {"supported": "#009E73", "not detected": "0.25", "not identifiable": "0.65"}
_STEP0, _SHUFFLED = "#0072B2", "#D55E00"


def plot_claims(
    results: str | Path, subject: str, models: Sequence[str] | None = None, *, figure: Figure | None = None
) -> Figure:
    """Draw every claim about the last checkpoint: estimate, interval, controls as marks, and the verdict in words.

    `models` is not needed; it is there so that all figures of a subject are asked for alike. `figure` is drawn into
    instead of a new one.
    """
    table = load_claims(results, subjects=subject, pandas=True).query("judged_at == 'last checkpoint'")
    if table.empty:
        return nothing_to_draw(figure)
    given = figure
    figure, axes = grid(len(table), 1, width=9.5, height=0.44, figure=given)
    if given is None:
        figure.set_size_inches(9.5, 0.44 * len(table) + 1.0)
    for axis, (_, claim) in zip(axes[:, 0], table.iterrows(), strict=True):
        _draw_claim(axis, claim, f"{claim.quantity}{of_panel(table, claim.panel)}")
    marks = {"runs, with interval": ("o-", "black", "estimate"), "the same at step 0": ("x", _STEP0, "control_step0")}
    marks["the run on shuffled text"] = ("+", _SHUFFLED, "control_shuffled")
    handles = [
        Line2D([], [], color=colour, marker=style[0], ls=style[1:] or "none", label=label)
        for label, (style, colour, column) in marks.items()
        if table[column].notna().any()
    ]
    figure.legend(handles=handles, loc="outside lower right", ncols=3, frameon=False, fontsize=8)
    figure.suptitle(f"{subject}: claims about the last checkpoint, beside their controls", fontsize=10)
    return figure


def _draw_claim(axis: Axes, claim: pd.Series, label: str) -> None:
    colour = _VERDICTS[claim.verdict]
    # Where nothing is claimed: one of a ratio, zero of a difference.
    axis.axvline(1 if claim.unit.startswith("times ") else 0, color="0.85", lw=0.8, zorder=0)
    axis.plot([claim.low, claim.high], [0, 0], color=colour, lw=2.5, solid_capstyle="butt")
    axis.plot(claim.estimate, 0, "o", color=colour, ms=4)
    axis.plot(claim.control_step0, 0, "x", color=_STEP0, ms=6)
    axis.plot(claim.control_shuffled, 0, "+", color=_SHUFFLED, ms=7)
    axis.set_yticks([0], [label], fontsize=7)
    axis.tick_params(axis="x", labelsize=6, length=2, pad=1)
    axis.locator_params(axis="x", nbins=4)
    p = "" if pd.isna(claim.adjusted_p) else f", p = {claim.adjusted_p:.2g}"
    words = f"{claim.verdict}{p}   [{claim.unit}]"
    axis.text(1.01, 0.5, words, fontsize=7, color=colour, va="center", transform=axis.transAxes)
    axis.spines[["top", "right", "left"]].set_visible(False)
