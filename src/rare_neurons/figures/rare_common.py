"""Each neuron's influence on rare tokens against that on common ones."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.figures.parts.legends import band, explain
from rare_neurons.figures.parts.ticks import small_numbers
from rare_neurons.figures.style import (
    COLOURS,
    NORMAL,
    OTHERS,
    axes_or_one,
    chosen_models,
    keep_drawn,
    named,
    nothing_to_draw,
    of_panel,
    on_panels,
)
from rare_neurons.results import load_integrity, load_shards

_WITHIN = "0.7"
_COLUMNS = ["panel", "model", "step", "neuron", "stratum", "influence_within", "influence_within_se"]


def plot_rare_common(
    results: str | Path,
    models: Sequence[str] | None = None,
    strata: tuple[str, str] = ("common", "rare"),
    *,
    controls: Sequence[str] = (),
    step: int | None = None,
    panel: str | None = None,
    figure: Figure | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw every neuron's within-stratum influence on the second stratum against the first, one axis per run.

    At the last good step, or `step`. Points are coloured by where they are beyond 90 % of zero; the bands are that
    floor of noise for the root mean square of the standard errors. The first of the `controls` stands beside. `figure`
    is drawn into instead of a new one, or `ax` where there is one run and panel and no control.
    """
    names = [*chosen_models(results, models), *controls[:1]]
    verdicts = load_integrity(results, models=names)
    good = verdicts[~verdicts.quarantined]
    at = {model: step if step is not None else mine.max() for model, mine in good.groupby("model").step}
    parts = [
        load_shards(results, "influence", models=model, steps=int(one), columns=_COLUMNS) for model, one in at.items()
    ]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=_COLUMNS)
    table = on_panels(table, panel)
    places = [key for name in names for key, _ in table[table.model == name].groupby(["panel", "model"], sort=False)]
    if not places:
        return nothing_to_draw(figure, ax)
    strata = _known(strata, table)
    n = len(places)
    few = f"one axis for {n} runs and panels; name one model and no control, or give figure= instead"
    columns = 2 if n == 4 else min(3, n)
    place = {"figure": figure, "ax": ax, "too_many": few}
    figure, axes = axes_or_one(-(-n // columns), columns, width=3.0, height=2.8, **place)
    for axis, (of, model) in zip(axes.ravel(), places, strict=False):
        mine = table[(table.panel == of) & (table.model == model)]
        _draw_neurons(axis, mine, strata)
        axis.set_title(f"{named(model, controls)}: step {int(mine.step.iloc[0]):,}{of_panel(table, of)}", fontsize=8.5)
    _label(axes, len(places), strata)
    _legend(figure, strata, ax)
    return figure


def _known(strata: tuple[str, str], table: pd.DataFrame) -> tuple[str, str]:
    """Return the strata asked for, or the first and last where the panel has others."""
    there = list(dict.fromkeys(table.stratum))
    return strata if set(strata) <= set(there) else (there[0], there[-1])


def _draw_neurons(axis: Axes, table: pd.DataFrame, strata: tuple[str, str]) -> None:
    sides = [table[table.stratum == name].set_index("neuron") for name in strata]
    sides[1] = sides[1].reindex(sides[0].index)
    values = [one.influence_within for one in sides]
    beyond = [one.influence_within.abs() > NORMAL * one.influence_within_se for one in sides]
    floors = [NORMAL * float(np.sqrt(np.mean(one.influence_within_se**2))) for one in sides]
    axis.axvspan(-floors[0], floors[0], color="black", alpha=0.06, lw=0, zorder=0)
    axis.axhspan(-floors[1], floors[1], color="black", alpha=0.06, lw=0, zorder=0)
    for (first, second), (_, colour, sign) in _looks(strata).items():
        chosen = (beyond[0] == first) & (beyond[1] == second)
        axis.plot(values[0][chosen], values[1][chosen], sign, ms=3, color=colour, alpha=0.8, mew=0)
    for place in (axis.axhline, axis.axvline):
        place(0, color="0.6", lw=0.6, zorder=0)


def _looks(strata: tuple[str, str]) -> dict[tuple[bool, bool], tuple[str, str, str]]:
    """Words, colour and mark by whether the influence is beyond the noise on the first stratum, and on the second."""
    first, second = strata
    return {
        (False, False): ("neither beyond noise", _WITHIN, "o"),
        (True, False): (f"{first} alone", COLOURS["common"], "s"),
        (False, True): (f"{second} alone", COLOURS["rare"], "^"),
        (True, True): ("both beyond noise", OTHERS[0], "D"),
    }


def _label(axes: np.ndarray, n: int, strata: tuple[str, str]) -> None:
    for axis in keep_drawn(axes, n):
        for side, name in zip((axis.xaxis, axis.yaxis), strata, strict=True):
            small_numbers(side, f"within {name}\n", "nats per token", most=4, fontsize=8)
        axis.tick_params(labelsize=7.5)


def _legend(figure: Figure, strata: tuple[str, str], ax: Axes | None) -> None:
    handles: list[object] = [
        Line2D([], [], marker=sign, ms=4, ls="", color=colour, label=words)
        for words, colour, sign in _looks(strata).values()
    ]
    handles.append(band("black", "floor of noise, 90 %", alpha=0.06))
    explain(figure, handles, ax)
