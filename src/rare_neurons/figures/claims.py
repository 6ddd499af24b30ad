"""How large every declared change is, in each run and control, and over the seeds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.errors import RequestError
from rare_neurons.figures.emergence import tier_line
from rare_neurons.figures.findings import Findings, load_findings, unit_of
from rare_neurons.figures.parts.legends import explain, legend_below
from rare_neurons.figures.parts.ticks import small_numbers
from rare_neurons.figures.style import CONTROL, Colour, grid, nothing_to_draw, one_axis, stratum_colours
from rare_neurons.numerics.evidence.rows import EvidenceRow
from rare_neurons.numerics.wording.standing import FAILS, HOLDS, NOT_JUDGED, Standing

_OVER_RUNS = {"seeds": "mean over seeds", "beyond_control": "seeds less controls"}


def plot_claims(
    results: str | Path,
    subject: str,
    models: Sequence[str] | None = None,
    *,
    question: str | None = None,
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the change that each declared question finds, with its interval: a row of axes for each question.

    Left each run and, in grey, each control; right what holds over seeds, alone and less the controls, which may be on
    another scale. Filled: the change is found at that tier. `models` are those of the subject, all by default.
    `question` draws one alone, and its left axis into `ax`; `figure` is drawn into instead of a new one.
    """
    found = load_findings(results, subject)
    every = [(findings, standing) for findings in found for standing in findings.questions]
    wanted = [one for one in every if question in (None, one[1].question)]
    if not every:
        return nothing_to_draw(figure, ax)
    if not wanted or (ax is not None and len(wanted) > 1):
        known = ", ".join(dict.fromkeys(standing.question for _, standing in every))
        raise RequestError(f"no single question {question!r}; there: {known}")
    colours = stratum_colours([standing.about.stratum for _, standing in wanted])
    figure, axes = _axes_for(wanted, figure, ax)
    for row, (findings, standing) in zip(axes, wanted, strict=True):
        own = [one for one in standing.runs if models is None or one.run in models]
        colour = colours[standing.about.stratum]
        _draw_intervals(row[0], standing, [*own, *standing.controls], colour)
        name = standing.question[:1].upper() + standing.question[1:]
        panel = f", {findings.panel}" if len(found) > 1 else ""
        row[0].set_title(f"{name}{panel}", fontsize=8.5, fontweight="bold", loc="left", pad=15)
        row[0].text(0, 1.04, tier_line(standing), fontsize=7.5, transform=row[0].transAxes, va="bottom").set_in_layout(
            False
        )
        if len(row) > 1:
            _draw_over_runs(row[1], standing, colour)
    _legend(figure, colours, ax)
    return figure


def _axes_for(
    wanted: Sequence[tuple[Findings, Standing]], figure: Figure | None, ax: Axes | None
) -> tuple[Figure, np.ndarray]:
    if ax is not None:
        figure, axis = one_axis(width=4.6, height=1.6, figure=figure, ax=ax)
        return figure, np.array([[axis]])
    rows = max(len(standing.runs) + len(standing.controls) for _, standing in wanted)
    return grid(len(wanted), 2, width=3.6, height=0.75 + 0.13 * rows, figure=figure)


def _draw_over_runs(axis: Axes, standing: Standing, colour: Colour) -> None:
    rows = [standing.beyond[tier] for tier in _OVER_RUNS if tier in standing.beyond]
    if any(row.estimate is not None for row in rows):
        _draw_intervals(axis, standing, rows, colour)
    else:
        axis.set_axis_off()
        reason = rows[0].status.replace("_", " ") if rows else "not asked"
        axis.text(0.5, 0.5, f"over seeds: {reason}", transform=axis.transAxes, ha="center", va="center", fontsize=8)


def _draw_intervals(axis: Axes, standing: Standing, rows: Sequence[EvidenceRow], colour: Colour) -> None:
    for place, row in enumerate(rows):
        if row.estimate is None:
            continue
        shade = CONTROL if row.role == "control" else colour
        if row.low is not None and row.high is not None:
            axis.plot([row.low, row.high], [place, place], color=shade, lw=1.6, solid_capstyle="butt")
        axis.plot(row.estimate, place, "o", ms=5, color=shade, mfc=shade if row.holds else "white")
    axis.axvline(0, color="0.3", lw=0.6, zorder=0)
    axis.set_yticks(range(len(rows)), [_OVER_RUNS.get(row.tier, row.run) for row in rows], fontsize=7.5)
    axis.set_ylim(len(rows) - 0.4, -0.6)
    scale, tier = (rows[0].scale, rows[0].tier) if rows else ("linear", "run")
    unit = standing.unit(tier, unit_of(standing.about.table, standing.about.column)) or "1"
    small_numbers(axis.xaxis, "change", "log ratio" if scale == "log" else unit, most=5, fontsize=7.5)
    axis.tick_params(axis="x", labelsize=7.5)
    axis.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure, colours: dict[str, Colour], ax: Axes | None) -> None:
    handles = [Line2D([], [], color=colour, lw=1.6, label=f"{name} tokens") for name, colour in colours.items()]
    handles += [
        Line2D([], [], color=CONTROL, lw=1.6, label="control"),
        Line2D([], [], color="black", marker="o", ms=5, ls="", label="found"),
        Line2D([], [], color="black", marker="o", ms=5, mfc="white", ls="", label="not found"),
        Line2D([], [], color="black", lw=1.6, label="interval of the change"),
    ]
    if ax is not None:
        legend_below(ax, handles)
        return
    explain(figure, handles)
    words = f"Tiers of evidence (adjusted p): {HOLDS} reached   {FAILS} not reached   {NOT_JUDGED} not judged: why"
    figure.suptitle(words, fontsize=8, x=0.01, ha="left")
