"""Intervals that lines are drawn with: 90 %, over documents and token types."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.special import stdtrit

from rare_neurons.figures.style import Colour
from rare_neurons.numerics.evidence.history import on_grid
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.grid.jackknife import t_interval
from rare_neurons.numerics.grid.moments import mean_leave_outs
from rare_neurons.results import load_shards

OPACITY = 0.18
_CONFIDENCE = 0.9
_KEYS = ["panel", "model", "step", "stratum"]

Ends = tuple[pd.Series, pd.Series]
Band = Callable[[str | Path, pd.DataFrame], Ends]
"""From a results folder and rows of a timeline to the ends of each row's interval."""


def draw_band(
    axis: Axes, places: np.ndarray, low: pd.Series, high: pd.Series, colour: Colour, opacity: float = OPACITY
) -> None:
    """Shade between the ends; a bar where both neighbours have none."""
    ends = np.array([low, high], dtype=float)
    axis.fill_between(places, *ends, color=colour, alpha=opacity, lw=0, zorder=0.5)
    there = np.pad(np.isfinite(ends).all(axis=0), 1)
    alone = there[1:-1] & ~there[:-2] & ~there[2:]
    axis.vlines(np.asarray(places)[alone], *ends[:, alone], color=colour, alpha=min(1, 2 * opacity), lw=3, zorder=0.5)


def of_columns(low: str, high: str) -> Band:
    """Take the ends that the timeline has."""
    return lambda _, table: (table[low], table[high])


def of_error(column: str) -> Band:
    """Make ``value ± t(D − 1) · se`` of a mean that has a column ``{column}_se``."""

    def ends(_: str | Path, table: pd.DataFrame) -> Ends:
        half = _quantile() * table[f"{column}_se"]
        return table[column] - half, table[column] + half

    return ends


def of_square(column: str) -> Band:
    """Take roots, with their signs, of the ends of a mean square whose root with its sign is the column."""

    def ends(_: str | Path, table: pd.DataFrame) -> Ends:
        square = np.sign(table[column]) * table[column] ** 2
        half = _quantile() * table[f"{column.replace('rms', 'square')}_se"]
        return tuple(np.sign(end) * np.sqrt(end.abs()) for end in (square - half, square + half))

    return ends


def of_cells(shard: str, column: str) -> Band:
    """Jackknife in two ways over the cells of the panel's grid that a shard holds means of."""

    def ends(results: str | Path, table: pd.DataFrame) -> Ends:
        cells = load_shards(results, shard, models=list(dict.fromkeys(table.model)))
        rows = {key: _interval(mine, column) for key, mine in cells.groupby(_KEYS, sort=False)}
        none = (np.nan, np.nan)
        found = np.array([rows.get(key, none) for key in table[_KEYS].itertuples(index=False, name=None)])
        return tuple(pd.Series(one, table.index) for one in found.reshape(-1, 2).T)

    return ends


def _interval(cells: pd.DataFrame, column: str) -> tuple[float, float]:
    places = cells.fold, cells.type_bin
    counts = on_grid(*places, cells.n_targets, n_folds=N_FOLDS)
    sums = on_grid(*places, cells[column] * cells.n_targets, n_folds=N_FOLDS)
    found = t_interval(mean_leave_outs(sums, counts), confidence=_CONFIDENCE)
    return found.low, found.high


def _quantile() -> float:
    return float(stdtrit(N_FOLDS - 1, (1 + _CONFIDENCE) / 2))
