"""What moves, when, and how far beyond one run it is known to hold."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rare_neurons.figures.findings import Findings, load_findings, unit_of
from rare_neurons.figures.style import (
    Colour,
    chosen_models,
    draw_quarantined,
    grid,
    nothing_to_draw,
    step_axis,
    stratum_colours,
    styles,
    x,
)
from rare_neurons.numerics.evidence.phrases import probability
from rare_neurons.numerics.evidence.standing import FAILS, HOLDS, NOT_JUDGED, Standing
from rare_neurons.numerics.evidence.tiers import TIERS
from rare_neurons.results import load_integrity, load_timeline

_CONTROL = "0.55"
_ROW = 0.035
"""Height of one date below the curves, as a share of the axis."""
_EDGE = {"horizontalalignment": "left", "loc": "left"}


def plot_emergence(
    results: str | Path, subject: str, models: Sequence[str] | None = None, *, figure: Figure | None = None
) -> Figure:
    """Draw every declared question: curves with bands, when they move, and the tiers that it reaches.

    `models` are those of the subject, whose quarantined checkpoints are marked. `figure` is drawn into instead of a new
    one.
    """
    found = load_findings(results, subject)
    courses = load_timeline(results, "courses", models=subject, pandas=True)
    verdicts = load_integrity(results, models=chosen_models(results, models), pandas=True)
    wanted = [(findings, standing) for findings in found for standing in findings.questions]
    if not wanted:
        return nothing_to_draw(figure)
    colours = stratum_colours([standing.about.stratum for _, standing in wanted])
    columns = min(2, len(wanted))
    figure, axes = grid(-(-len(wanted) // columns), columns, width=4.9, height=2.75, figure=figure)
    for axis, (findings, standing) in zip(axes.ravel(), wanted, strict=False):
        mine = courses[(courses.panel == findings.panel) & (courses.question == standing.question)]
        draw_question(axis, findings, standing, mine, colours[standing.about.stratum])
        step_axis(axis, courses.step)
        axis.set_xlabel("")
        draw_quarantined(axis, verdicts)
        _title(axis, standing, f", {findings.panel}" if len(found) > 1 else "")
    for axis in axes.ravel()[len(wanted) :]:
        axis.remove()
    for axis in axes.ravel()[len(wanted) - columns : len(wanted)]:
        axis.set_xlabel("step")
    _legend(figure, colours, [findings for findings, _ in wanted])
    return figure


def draw_question(axis: Axes, findings: Findings, standing: Standing, courses: pd.DataFrame, colour: Colour) -> None:
    """Draw the curves of one question with its turns, and the dates below them."""
    looks = {row.run: (_CONTROL, (0, (3, 2))) for row in standing.controls}
    looks |= {row.run: (colour, style) for row, style in zip(standing.runs, styles(), strict=False)}
    changed = {row.run for row in (*standing.controls, *standing.runs) if row.holds}
    for run, (shade, style) in looks.items():
        mine = courses[courses.run == run].sort_values("step")
        axis.fill_between(x(mine.step), mine.low, mine.high, color=shade, alpha=0.18, lw=0)
        axis.plot(x(mine.step), mine.value, ls=style, color=shade, lw=0.9)
        for turn in findings.turns:
            if (turn.question, turn.run) == (standing.question, run) and run in changed:
                moved = mine[(mine.step >= turn.start) & (mine.step <= turn.end)]
                axis.plot(x(moved.step), moved.value, color=shade, lw=2.2, solid_capstyle="round")
                axis.plot(x([turn.end]), moved.value.iloc[-1:], "^" if turn.change > 0 else "v", color=shade, ms=5)
    if courses.low.min() < 0:
        axis.axhline(0, color="0.3", lw=0.6, zorder=0)
    dates = [row for row in findings.onsets if row.question == standing.question and row.after is not None]
    shown = [row for row in dates if row.run in changed or (row.role == "all" and standing.holds("seeds"))]
    _draw_dates(axis, sorted(shown, key=lambda row: ["all", "run", "control"].index(row.role)), looks)
    axis.set_ylabel(unit_of(standing.about.table, standing.about.column), fontsize=7)
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)


def _draw_dates(axis: Axes, dates: Sequence[object], looks: dict[str, tuple[Colour, object]]) -> None:
    """One bar per date in a strip below the curves; that of other seeds is broad, and shaded over the whole axis."""
    low, high = axis.get_ylim()
    room = _ROW * (len(dates) + 1)
    axis.set_ylim(low - (high - low) * room / (1 - room), high)
    place = axis.get_xaxis_transform()
    for row, date in enumerate(dates):
        ends, height = x([date.after, np.inf if date.by is None else date.by]), room - (row + 0.8) * _ROW
        of_seeds = date.role == "all"
        shade = next(iter(reversed(looks.values())))[0] if of_seeds else looks[date.run][0]
        ends = np.minimum(ends, 1e9)
        axis.plot(ends, [height, height], color=shade, lw=4 if of_seeds else 1.6, transform=place, solid_capstyle="butt")
        if of_seeds:
            axis.axvspan(*ends, color=shade, alpha=0.08, lw=0, zorder=0)


def _title(axis: Axes, standing: Standing, panel: str) -> None:
    name = standing.question[:1].upper() + standing.question[1:]
    axis.set_title(f"{name}{panel}", fontsize=8.5, fontweight="bold", loc="left", pad=15)
    axis.text(0, 1.03, tier_line(standing), fontsize=7, transform=axis.transAxes, va="bottom")


def tier_line(standing: Standing) -> str:
    """Tiers with their marks and adjusted p-values; those that were not asked are left out."""
    parts = []
    for tier in TIERS:
        if tier == "run" or tier in standing.beyond:
            p, mark = standing.p_value(tier), standing.mark(tier)
            number = "" if p is None else f" ({probability(p).replace(' = ', '=').replace(' < ', '<')})"
            parts.append(f"{mark} {tier.replace('_', ' ')}{number}")
    return "   ".join(parts)


def _legend(figure: Figure, colours: dict[str, Colour], found: Sequence[Findings]) -> None:
    runs = {row.run: None for findings in found for one in findings.questions for row in one.runs}
    handles = [Line2D([], [], color=colour, lw=2, label=f"{name} tokens") for name, colour in colours.items()]
    if len(runs) > 1:
        pairs = zip(styles(), runs, strict=False)
        handles += [Line2D([], [], color="black", ls=style, lw=1, label=run) for style, run in pairs]
    if any(findings.n_controls for findings in found):
        handles.append(Line2D([], [], color=_CONTROL, ls=(0, (3, 2)), lw=1, label="control"))
    handles += [
        Patch(color="black", alpha=0.18, lw=0, label="interval over documents and types"),
        Line2D([], [], color="black", lw=2.2, marker="^", ms=5, label="rise (▼ fall) beyond noise"),
        Line2D([], [], color="black", lw=1.6, label="date of a run"),
        Line2D([], [], color="black", lw=4, label="date over seeds"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=7.5)
    words = f"{HOLDS} tier reached   {FAILS} judged, not reached   {NOT_JUDGED} could not be judged"
    figure.suptitle(words, fontsize=8, x=0.01, ha="left")
