"""Columns of a timeline over steps, with their intervals: a row for each column, a column of axes for each stratum."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.errors import RequestError
from rare_neurons.figures.parts.across import Across, AxisName, across
from rare_neurons.figures.parts.bands import OPACITY, Band, draw_band
from rare_neurons.figures.parts.legends import (
    Handle,
    band,
    draw_quarantined,
    explain,
    mark,
    of_models,
    of_strata,
    quarantine_marks,
)
from rare_neurons.figures.parts.ticks import compact, log_axis, small_numbers, with_unit
from rare_neurons.figures.style import (
    CONTROL,
    CONTROL_DASHES,
    chosen_models,
    grid,
    nothing_to_draw,
    of_panel,
    on_page,
    one_axis,
    stratum_colours,
    stratum_marks,
    styles,
)
from rare_neurons.results import load_integrity, load_timeline

_WIDTH, _HEIGHT = 3.4, 2.2
_OF_RUN, _OF_CONTROL = {"lw": 1.2}, {"lw": 0.8, "mfc": "white", "mew": 0.6}


@dataclass(frozen=True)
class Drawn:
    """A column of a timeline and how it is drawn.

    Attributes
    ----------
    column : str
    label : str
        Of the vertical axis.
    unit : str
    log : bool
        Whether the values are drawn on a logarithmic axis, and what is not above zero is left out.
    band : callable, optional
        Ends of the interval of every row, from the results folder and the rows (`parts.bands`).
    noise : str, optional
        A column with what noise alone would give, drawn thin beside it.
    """

    column: str
    label: str
    unit: str = ""
    log: bool = False
    band: Band | None = None
    noise: str | None = None


def draw_by_stratum(
    results: str | Path,
    models: Sequence[str] | None,
    quantity: str,
    columns: Sequence[Drawn],
    *,
    controls: Sequence[str] = (),
    axis: AxisName = "step",
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw columns of a timeline over steps: a row of axes per column and panel, in it one for each stratum.

    Runs have the stratum's colour and a line style each, controls are grey and dashed.

    Parameters
    ----------
    results : str or Path
    models : sequence of str or None
        All that have results where None.
    quantity : str
        A folder of ``timelines``.
    columns : sequence of Drawn
    controls : sequence of str
        Models that are drawn beside.
    axis : {"step", "tokens", "loss"}
        What they are drawn over: steps, training tokens, or the loss over all targets.
    figure : Figure, optional
        Drawn into instead of a new one.
    ax : Axes, optional
        Drawn into, all strata together, where there is one column of one panel.

    Raises
    ------
    RequestError
        If one axis is given for several columns or panels.
    """
    runs = chosen_models(results, models)
    beside = [model for model in controls if model not in runs]
    table = load_timeline(results, quantity, models=[*runs, *beside], include_quarantined=True)
    if not len(table):
        return nothing_to_draw(figure, ax)
    wanted = [(panel, one) for panel in dict.fromkeys(table.panel) for one in columns]
    if ax is not None and len(wanted) > 1:
        raise RequestError(f"one axis for {len(wanted)} columns and panels; name one column, or give figure= instead")
    along, strata = across(results, [*runs, *beside], axis, table), list(dict.fromkeys(table.stratum))
    verdicts = load_integrity(results, models=runs)
    figure, axes = _axes_for(len(wanted), strata, figure, ax)
    looks = _looks(runs, [model for model in beside if model in set(table.model)])
    for row, (panel, one) in zip(axes, wanted, strict=True):
        mine = _with_band(results, table[table.panel == panel], one)
        for place, shown in zip(row, [strata] if ax is not None else [[name] for name in strata], strict=True):
            _draw_lines(place, mine[mine.stratum.isin(shown)], strata, one, looks, along)
            along.dress(place, table.step)
            draw_quarantined(place, verdicts, along)
        _limit(row, mine, one)
        _label(row, one, of_panel(table, panel))
    shown = _explained(strata, columns, of_models(runs, controls=len(looks) > len(runs)), verdicts)
    _explain(axes, strata, shown, ax)
    return figure


def _axes_for(n: int, strata: Sequence[str], figure: Figure | None, ax: Axes | None) -> tuple[Figure, np.ndarray]:
    if ax is None:
        size = on_page(n, len(strata), width=_WIDTH, height=_HEIGHT)
        return grid(n, len(strata), **size, figure=figure, sharex=True, sharey="row")
    figure, axis = one_axis(width=_WIDTH, height=_HEIGHT, figure=figure, ax=ax)
    return figure, np.array([[axis]])


def _looks(runs: Sequence[str], controls: Sequence[str]) -> dict[str, tuple[str | None, object]]:
    """Colour, none where it is the stratum's, and line style of every model; controls lie below."""
    looks: dict[str, tuple[str | None, object]] = dict.fromkeys(controls, (CONTROL, CONTROL_DASHES))
    return looks | {model: (None, style) for style, model in zip(styles(), runs, strict=False)}


def _with_band(results: str | Path, table: pd.DataFrame, one: Drawn) -> pd.DataFrame:
    """Values, intervals and noise under one name each; on a logarithmic axis without what is not above zero."""
    low, high = (np.nan, np.nan) if one.band is None else one.band(results, table)
    values = table[one.column].astype(float)
    noise = np.nan if one.noise is None else table[one.noise].astype(float)
    table = table.assign(value=values, low=low, high=high, noise=noise)
    if one.log:
        table[["value", "noise"]] = table[["value", "noise"]].where(lambda found: found > 0)
    return table


def _draw_lines(
    axis: Axes,
    table: pd.DataFrame,
    strata: Sequence[str],
    one: Drawn,
    looks: Mapping[str, tuple[str | None, object]],
    along: Across,
) -> None:
    # Of all strata, not of those on this axis: a colour says the same on every axis and in the legend.
    colours, marks = stratum_colours(strata), stratum_marks(strata)
    for model, stratum, lines in _groups(table, looks):
        own, style = looks[model]
        colour, held = own or colours[stratum], lines.quarantined.astype(bool)
        places, kept = along.of(lines.step, model), lines.where(~held)
        draw_band(axis, places, kept.low, kept.high, colour)
        about = {"color": colour, "ls": style}
        axis.plot(places, kept.value, **about, marker=marks[stratum], ms=2.8, **(_OF_CONTROL if own else _OF_RUN))
        if one.noise:
            axis.plot(places, kept.noise, **about, lw=0.6)
        mark(axis, places[held], lines.value[held])


def _groups(
    table: pd.DataFrame, looks: Mapping[str, tuple[str | None, object]]
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for model in looks:
        for stratum, lines in table[table.model == model].groupby("stratum", sort=False):
            yield model, stratum, lines.sort_values("step")


def _limit(row: Sequence[Axes], table: pd.DataFrame, one: Drawn) -> None:
    """Keep a logarithmic axis to what the lines span: an interval may reach zero."""
    values = table[["value", "noise"]].to_numpy()
    if not np.isfinite(values).any():
        for axis in row:
            axis.text(0.5, 0.5, "nothing told from noise", transform=axis.transAxes, ha="center", fontsize=8)
        row[0].set(yticks=[], ylim=(0, 1))
        return
    if not one.log:
        return
    row[0].set_yscale("log", nonpositive="clip")
    row[0].set_ylim(0.5 * np.nanmin(values), 1.3 * np.nanmax([np.nanmax(values), *table.high.dropna()]))


def _label(row: Sequence[Axes], one: Drawn, panel: str) -> None:
    label = f"{one.label.rstrip()}{panel}{one.label[len(one.label.rstrip()) :]}"
    if one.log:
        if row[0].get_yscale() == "log":
            log_axis(row[0].yaxis)
        row[0].set_ylabel(with_unit(label, one.unit), fontsize=8)
    else:
        small_numbers(row[0].yaxis, label, one.unit, fontsize=8)
        for axis in row:
            low, high = axis.get_ylim()
            if low < 0 < high:
                axis.axhline(0, color="0.3", lw=0.6, zorder=0)
    for axis in row:
        compact(axis)
        axis.spines[["top", "right"]].set_visible(False)


def _explained(
    strata: Sequence[str], columns: Sequence[Drawn], models: Sequence[Handle], verdicts: pd.DataFrame
) -> list[Handle]:
    handles: list[Handle] = [*of_strata(strata), *models]
    if any(one.band is not None for one in columns):
        handles.append(band("black", "90 % interval", alpha=OPACITY))
    if any(one.noise for one in columns):
        handles.append(Line2D([], [], color="black", lw=0.6, label="of noise alone"))
    return [*handles, *quarantine_marks(verdicts)]


def _explain(axes: np.ndarray, strata: Sequence[str], handles: Sequence[Handle], ax: Axes | None) -> None:
    explain(axes[0, 0].figure, handles, ax)
    if ax is not None:
        return
    for axis, name in zip(axes[0], strata, strict=True):
        axis.set_title(f"{name} tokens", fontsize=9)
    for axis in axes[:-1].ravel():
        axis.set_xlabel("")
