"""What moves, when, and how far beyond one run it is known to hold."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.errors import RequestError
from rare_neurons.figures.findings import Findings, load_findings, unit_of
from rare_neurons.figures.parts.across import Across, AxisName, across
from rare_neurons.figures.parts.bands import OPACITY, draw_band
from rare_neurons.figures.parts.legends import band, draw_quarantined, explain, of_models, quarantine_marks
from rare_neurons.figures.parts.ticks import small_numbers
from rare_neurons.figures.style import (
    CONTROL,
    CONTROL_DASHES,
    Colour,
    chosen_models,
    grid,
    keep_drawn,
    nothing_to_draw,
    one_axis,
    stratum_colours,
    styles,
)
from rare_neurons.numerics.evidence.rows import OnsetRow
from rare_neurons.numerics.evidence.tiers import TIERS
from rare_neurons.numerics.wording.phrases import p_digits
from rare_neurons.numerics.wording.standing import FAILS, HOLDS, NOT_JUDGED, Standing
from rare_neurons.results import load_integrity, load_timeline

_TITLE, _TIERS = 44, 56
"""Letters in a line on an axis of half a page."""
_BETWEEN = "   "
_ROLES = ("all", "run", "control")
_ROW = 0.035
"""Height of one date below the curves, as a share of the axis."""


def plot_emergence(
    results: str | Path,
    subject: str,
    models: Sequence[str] | None = None,
    *,
    axis: AxisName = "step",
    question: str | None = None,
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw every declared question: curves with bands, when they move, and the tiers that it reaches.

    `models` are those of the subject, whose quarantined checkpoints are marked. `axis` draws them over training tokens
    or overall loss instead of steps. `question` draws one of them alone, and then `ax` can be drawn into; `figure` is
    drawn into instead of a new one.
    """
    found = load_findings(results, subject)
    courses = load_timeline(results, "courses", models=subject)
    verdicts = load_integrity(results, models=chosen_models(results, models))
    wanted = _wanted(found, question)
    if not wanted:
        return nothing_to_draw(figure, ax)
    along = across(results, list(dict.fromkeys(courses.run)), axis)
    colours = stratum_colours([standing.about.stratum for _, standing in wanted])
    figure, axes = _axes_for(len(wanted), figure, ax)
    for one, (findings, standing) in zip(axes.ravel(), wanted, strict=False):
        mine = courses[(courses.panel == findings.panel) & (courses.question == standing.question)]
        along.dress(one, courses.step)
        draw_question(one, findings, standing, mine, colours[standing.about.stratum], along)
        draw_quarantined(one, verdicts, along)
        _title(one, standing, f", {findings.panel}" if len(found) > 1 else "")
    _label_lowest(axes, len(wanted))
    _legend(figure, colours, [findings for findings, _ in wanted], verdicts, ax)
    return figure


def _wanted(found: Sequence[Findings], question: str | None) -> list[tuple[Findings, Standing]]:
    every = [(findings, standing) for findings in found for standing in findings.questions]
    wanted = [one for one in every if question in (None, one[1].question)]
    if every and not wanted:
        known = ", ".join(dict.fromkeys(standing.question for _, standing in every))
        raise RequestError(f"no question {question!r}; there: {known}")
    return wanted


def _axes_for(n: int, figure: Figure | None, ax: Axes | None) -> tuple[Figure, np.ndarray]:
    if ax is not None:
        if n > 1:
            raise RequestError(f"one axis for {n} questions; name one by question=, or give figure= instead")
        figure, axis = one_axis(width=4.6, height=2.3, figure=figure, ax=ax)
        return figure, np.array([[axis]])
    columns = min(2, n)
    return grid(-(-n // columns), columns, width=3.6, height=2.2, figure=figure)


def _label_lowest(axes: np.ndarray, n: int) -> None:
    """Name steps below the lowest axis of each column, and remove what nothing is drawn on."""
    columns = axes.shape[1]
    for place, axis in enumerate(keep_drawn(axes, n)):
        lowest = place >= n - columns
        axis.tick_params(labelbottom=lowest)
        axis.set_xlabel(axis.get_xlabel() if lowest else "", fontsize=8)


def draw_question(
    axis: Axes,
    findings: Findings,
    standing: Standing,
    courses: pd.DataFrame,
    colour: Colour,
    along: Across,
) -> None:
    """Draw the curves of one question with its turns, and the dates below them."""
    looks = {row.run: (CONTROL, CONTROL_DASHES) for row in standing.controls}
    looks |= {row.run: (colour, style) for row, style in zip(standing.runs, styles(), strict=False)}
    changed = {row.run for row in (*standing.controls, *standing.runs) if row.holds}
    for run, (shade, style) in looks.items():
        mine = courses[courses.run == run].sort_values("step")
        draw_band(axis, along.of(mine.step, run), mine.low, mine.high, shade)
        axis.plot(along.of(mine.step, run), mine.value, ls=style, color=shade, lw=0.9, marker=".", ms=2.5)
        for turn in findings.turns:
            if (turn.question, turn.run) == (standing.question, run) and run in changed:
                moved = mine[(mine.step >= turn.start) & (mine.step <= turn.end)]
                places = along.of(moved.step, run)
                axis.plot(places, moved.value, color=shade, lw=2.2, solid_capstyle="round")
                axis.plot(
                    along.of([turn.end], run), moved.value.iloc[-1:], "^" if turn.change > 0 else "v", color=shade, ms=5
                )
    if courses.low.min() < 0:
        axis.axhline(0, color="0.3", lw=0.6, zorder=0)
    _draw_dates(axis, _dates(findings, standing), looks, colour, along)
    small_numbers(axis.yaxis, "", unit_of(standing.about.table, standing.about.column), fontsize=7.5)
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)


def _dates(findings: Findings, standing: Standing) -> list[OnsetRow]:
    """Dates of changes that are found; one open at both ends says nothing."""
    changed = {row.run for row in (*standing.controls, *standing.runs) if row.holds}
    known = [row for row in findings.onsets if row.question == standing.question and (row.after or row.by)]
    shown = [row for row in known if row.run in changed or (row.role == "all" and standing.holds("seeds"))]
    return sorted(shown, key=lambda row: _ROLES.index(row.role))


def _draw_dates(
    axis: Axes,
    dates: Sequence[OnsetRow],
    looks: Mapping[str, tuple[Colour, object]],
    own: Colour,
    along: Across,
) -> None:
    """Draw a bar per date in a strip below the curves; that of other seeds is broad, and shaded over the whole axis."""
    low, high = axis.get_ylim()
    room = _ROW * (len(dates) + 1)
    axis.set_ylim(low - (high - low) * room / (1 - room), high)
    last = axis.get_xlim()[1]
    for row, date in enumerate(dates):
        height, of_seeds = room - (row + 0.8) * _ROW, date.role == "all"
        runs = list(looks) if of_seeds else date.run
        first = axis.get_xlim()[0] if date.after is None else along.of([date.after], runs)[0]
        ends = [first, last if date.by is None else along.of([date.by], runs)[0]]
        colour, width = (own, 4) if of_seeds else (looks[date.run][0], 1.6)
        axis.plot(
            ends, [height] * 2, color=colour, lw=width, transform=axis.get_xaxis_transform(), solid_capstyle="butt"
        )
        if of_seeds:
            axis.axvspan(*ends, color=colour, alpha=0.08, lw=0, zorder=0)


def _title(axis: Axes, standing: Standing, panel: str) -> None:
    name = standing.question[:1].upper() + standing.question[1:]
    words = _in_lines(tier_line(standing))
    heading = fill(f"{name}{panel}", _TITLE, break_on_hyphens=False)
    axis.set_title(heading, fontsize=8, fontweight="bold", loc="left", pad=14 + 9 * words.count("\n"))
    line = axis.text(0, 1.03, words, fontsize=7, transform=axis.transAxes, va="bottom")
    line.set_in_layout(False)  # it is wider than some axes, and must not make them narrower


def _in_lines(words: str) -> str:
    """Break a line of tiers between them."""
    lines = [""]
    for tier in words.split(_BETWEEN):
        longer = f"{lines[-1]}{_BETWEEN}{tier}" if lines[-1] else tier
        lines[-1:] = [longer] if len(longer) <= _TIERS else [*filter(None, lines[-1:]), tier]
    return "\n".join(lines)


def tier_line(standing: Standing) -> str:
    """Name the tiers with marks, adjusted p-values and why there is none; with one run there is only the first."""
    asked = [tier for tier in TIERS if tier == "run" or (tier in standing.beyond and len(standing.runs) > 1)]
    return _BETWEEN.join(
        f"{standing.mark(tier)} {tier.replace('_', ' ')}{_number(standing.p_value(tier))}{_why(standing, tier)}"
        for tier in asked
    )


def _number(p: float | None) -> str:
    return "" if p is None else f" {p_digits(p)}".replace("< ", "<").replace("0.", ".")


def _why(standing: Standing, tier: str) -> str:
    """Say in a few words why a tier is not judged; why one is not reached stands in the legend."""
    if standing.mark(tier) != NOT_JUDGED:
        return ""
    row = next((row for row in standing.of_tier(tier) if row.p_adjusted is None), None)
    return ": " + ("no checkpoint" if row is None else row.status.replace("_", " "))


def _legend(
    figure: Figure,
    colours: dict[str, Colour],
    found: Sequence[Findings],
    verdicts: pd.DataFrame,
    ax: Axes | None,
) -> None:
    runs = {row.run: None for findings in found for one in findings.questions for row in one.runs}
    handles = [Line2D([], [], color=colour, lw=2, label=f"{name} tokens") for name, colour in colours.items()]
    handles += of_models(list(runs), controls=any(findings.n_controls for findings in found))
    handles += [
        band("black", "interval over documents and types", OPACITY),
        Line2D([], [], color="black", lw=2.2, marker="^", ms=5, label="rise (▼ fall) beyond noise"),
        Line2D([], [], color="black", lw=1.6, label="half of the change: a run"),
        Line2D([], [], color="black", lw=4, label="half of the change: over seeds (shaded)"),
        *quarantine_marks(verdicts, crosses=False),
    ]
    explain(figure, handles, ax)
    if ax is not None:
        return
    words = (
        f"Tiers of evidence: {HOLDS} reached   {FAILS} not reached: the adjusted p (the number) is above the level, "
        f"or a tier before\nis not reached   {NOT_JUDGED} not judged: why"
    )
    figure.suptitle(words, fontsize=8, x=0.01, ha="left")
