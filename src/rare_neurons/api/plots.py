"""Figures of one measurement; each takes its first table and, where it is to be drawn into one, an axis."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import norm

from rare_neurons.figures.style import one_axis, stratum_colours
from rare_neurons.selection import refuse

_LEVEL_Z = 1.645  # 90 %, two-sided
_OF_MATRIX = {
    "alpha": "power-law exponent of the eigenvalues",
    "stable_rank": "stable rank (directions)",
    "log_spectral_norm": "log10 of the largest eigenvalue",
}
_SIZE = {"width": 4.8, "height": 3.4}


def draw_ranked(table: pd.DataFrame, ax: Axes | None = None, column: str = "influence") -> Figure:
    """Draw the absolute influence of every neuron by its rank, beside what standard errors alone would show.

    Dashed: ranked half-normal noise with the root mean square of the neurons' standard errors. The value that is drawn
    also chooses the rank, so that the curve lies above the truth where it is near the dashed one.
    """
    _check_column(table, column)
    figure, axis = one_axis(**_SIZE, ax=ax)
    for stratum, colour in stratum_colours(table.stratum).items():
        mine = table[table.stratum == stratum]
        values = np.sort(np.abs(mine[column]))[::-1]
        rank = np.arange(1, len(values) + 1)
        noise = norm.isf((rank - 0.5) / (2 * len(values))) * np.sqrt(np.mean(mine[f"{column}_se"] ** 2))
        axis.plot(rank, values, color=colour, lw=1.4, label=stratum)
        axis.plot(rank, noise, color=colour, lw=1, ls="--", label=f"{stratum}, standard errors alone")
    axis.set(xscale="log", yscale="log", xlabel="rank of the neuron", ylabel=f"|{_words(column)}| (nats per token)")
    axis.legend(frameon=False, fontsize=8)
    return figure


def draw_strata(table: pd.DataFrame, ax: Axes | None = None, column: str = "influence") -> Figure:
    """Draw each neuron's influence on the last stratum against that on the first; grey: both within 90 % of zero."""
    _check_column(table, column)
    strata = list(dict.fromkeys(table.stratum))
    first, last = (table[table.stratum == name].set_index("neuron") for name in (strata[0], strata[-1]))
    last = last.loc[first.index]
    beyond = np.any([one[column].abs() > _LEVEL_Z * one[f"{column}_se"] for one in (first, last)], axis=0)
    figure, axis = one_axis(**_SIZE, ax=ax)
    colour = stratum_colours(strata)[strata[-1]]
    for kept, shade, label in ((~beyond, "0.7", "within 90 % of zero on both"), (beyond, colour, "beyond on either")):
        axis.plot(first[column][kept], last[column][kept], "o", ms=3, color=shade, label=f"{label}: {kept.sum()}")
    axis.axhline(0, color="0.8", lw=0.6, zorder=0)
    axis.axvline(0, color="0.8", lw=0.6, zorder=0)
    axis.xaxis.set_major_locator(MaxNLocator(4))
    unit = "nats per token"
    axis.set(xlabel=f"{_words(column)}, {strata[0]} ({unit})", ylabel=f"{_words(column)}, {strata[-1]} ({unit})")
    axis.legend(frameon=False, fontsize=8)
    return figure


def draw_alpha(table: pd.DataFrame, ax: Axes | None = None, column: str = "alpha") -> Figure:
    """Draw the power-law exponent of every weight matrix by layer."""
    return _by_layer(table, column, ax)


def draw_stable_rank(table: pd.DataFrame, ax: Axes | None = None, column: str = "stable_rank") -> Figure:
    """Draw the stable rank of every weight matrix by layer: as many directions of equal size would have its norm."""
    return _by_layer(table, column, ax)


def draw_layers(table: pd.DataFrame, ax: Axes | None = None, column: str = "influence") -> Figure:
    """Draw the influence of every neuron by layer, a column of points for each stratum; rings: ablated exactly."""
    _check_column(table, column)
    figure, axis = one_axis(**_SIZE, ax=ax)
    colours = stratum_colours(table.stratum)
    for index, (stratum, colour) in enumerate(colours.items()):
        mine = table[table.stratum == stratum]
        place = mine.layer + (index + 1) / (len(colours) + 1) - 0.5
        axis.plot(place, mine[column].astype(float), ".", ms=3, color=colour, alpha=0.5, label=stratum)
        exact = mine.exact.astype(bool)
        axis.plot(place[exact], mine[column][exact].astype(float), "o", ms=5, mfc="none", mew=0.7, color=colour)
    axis.plot([], [], "o", ms=5, mfc="none", mew=0.7, color="black", label="ablated exactly")
    axis.axhline(0, color="0.8", lw=0.6, zorder=0)
    axis.set_xticks(sorted(set(table.layer)))
    axis.set(xlabel="layer", ylabel=f"{_words(column)} (nats per token)")
    axis.legend(frameon=False, fontsize=8)
    return figure


def _by_layer(table: pd.DataFrame, column: str, ax: Axes | None) -> Figure:
    """One line per kind of matrix; embeddings, which have no layer, stand at the left."""
    if column not in _OF_MATRIX:
        refuse("column", [column], _OF_MATRIX, "this figure")
    figure, axis = one_axis(**_SIZE, ax=ax)
    for index, (matrix, mine) in enumerate(table.groupby("matrix", sort=False)):
        layer = mine.layer.fillna(-1).astype(int)
        axis.plot(
            layer, mine[column].astype(float), marker="o", ms=4, lw=1, color=colormaps["tab10"](index), label=matrix
        )
    layers = sorted({-1} | set(table.layer.dropna().astype(int)))
    axis.set_xticks(layers, ["none", *map(str, layers[1:])])
    axis.set(xlabel="layer", ylabel=_OF_MATRIX[column])
    axis.legend(frameon=False, fontsize=8, ncols=2)
    return figure


def _check_column(table: pd.DataFrame, column: str) -> None:
    """Refuse a quantity without a standard error."""
    known = [name.removesuffix("_se") for name in table if name.endswith("_se")]
    if column not in known:
        refuse("column", [column], known, "this figure")


def _words(column: str) -> str:
    return column.replace("influence_within", "influence within stratum")


PLOTS: dict[str, dict[str, Callable[..., Figure]]] = {
    "influence": {"ranked": draw_ranked, "strata": draw_strata},
    "layer_influence": {"layers": draw_layers},
    "spectra": {"alpha": draw_alpha, "stable_rank": draw_stable_rank},
}
"""Figures of each table by name; the first is drawn where none is named."""
