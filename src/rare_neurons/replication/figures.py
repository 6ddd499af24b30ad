"""Figures of the replication: what the seed studies' conventions read from runs, from controls and from noise."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.figures.style import OTHERS, grid, step_axis, stratum_colours, styles, x
from rare_neurons.numerics.regimes.seed_conventions import DECAY_LOG_RANK, PLATEAU_LOG_RANK
from rare_neurons.results import load_influence, load_timeline

_NOISE, _START, _LAST, _CONTROL = "0.8", "#56B4E9", "#D55E00", "#009E73"
_DRAWS = 200
_BAND = (0.05, 0.95)


def plot_ranked(
    results: str | Path,
    models: Sequence[str],
    controls: Sequence[str],
    read_at: Sequence[tuple[str, str]],
    draws: Sequence[str],
) -> Figure:
    """Draw ranked |influence| beside half-normal noise, and the fixed window's exponent over steps.

    Parameters
    ----------
    results : str or Path
    models, controls : sequence of str
    read_at : sequence of (panel, stratum)
        Where exponents are read; curves are those of the first.
    draws : sequence of str
        Panels of the studies' size: the same convention, drawn afresh.
    """
    panels = [*read_at[:1], *((panel, read_at[-1][1]) for panel in draws[:2])]
    figure, axes = grid(1, 2, width=6.2, height=3.9)
    n = _draw_curves(axes[0, 0], results, models, controls, *read_at[0])
    _draw_exponents(axes[0, 1], results, models, panels, n)
    return figure


def _draw_curves(
    axis: Axes, results: str | Path, models: Sequence[str], controls: Sequence[str], panel: str, stratum: str
) -> int:
    """Return the number of neurons."""
    drawn = [(m, 0, _START) for m in models] + [(m, None, _LAST) for m in models]
    drawn += [(m, None, _CONTROL) for m in controls]
    for model, step, colour in drawn:
        ranked = _ranked(results, model, step, panel, stratum)
        axis.plot(np.arange(1, len(ranked) + 1), ranked, color=colour, lw=1.3)
    n = len(ranked)
    low, high = np.quantile(_noise(n), _BAND, axis=0)
    axis.fill_between(np.arange(1, n + 1), low, high, color=_NOISE, lw=0, zorder=0)
    for cut in (PLATEAU_LOG_RANK, DECAY_LOG_RANK):
        axis.axvline(np.exp(cut), color="black", lw=0.8, ls=":")
    axis.set(xscale="log", yscale="log", xlabel="rank of the neuron", ylabel="|influence| / median")
    axis.set(title=f"ranked |influence| on {stratum} tokens", ylim=(3e-2, None))
    lines = {"step 0": _START, "last step": _LAST, "control, last step": _CONTROL}
    handles = [Line2D([], [], color=colour, label=label) for label, colour in lines.items()]
    handles += [Line2D([], [], color=_NOISE, lw=6, label="half-normal noise, 90 %")]
    handles += [Line2D([], [], color="black", lw=0.8, ls=":", label="fixed cuts")]
    axis.legend(handles=handles, frameon=False, fontsize=8, loc="lower left")
    return n


def _draw_exponents(
    axis: Axes, results: str | Path, models: Sequence[str], panels: Sequence[tuple[str, str]], n: int
) -> None:
    colours = ("#0072B2", *OTHERS[1:3])
    table = load_timeline(results, "regimes", models=list(models), pandas=True)
    table = table[(table.convention == "seed_fixed_cuts") & (table.sign == "all")]
    for (panel, stratum), colour in zip(panels, colours, strict=False):
        for style, model in zip(styles(), models, strict=False):
            kept = (table.panel == panel) & (table.stratum == stratum) & (table.model == model)
            lines = table[kept].sort_values("step")
            axis.plot(x(lines.step), lines.rank_exponent, style, color=colour, marker=".", ms=4, lw=1.2)
    rank = np.log(np.arange(1, n + 1))
    window = (rank >= PLATEAU_LOG_RANK) & (rank <= 4.5)
    axis.axhspan(*np.quantile(_slopes(rank[window], np.log(_noise(n)[:, window])), _BAND), color=_NOISE, zorder=0)
    handles = [Line2D([], [], color=c, label=f"{s} ({p})") for (p, s), c in zip(panels, colours, strict=False)]
    handles += [Line2D([], [], color="black", ls=ls, label=m) for ls, m in zip(styles(), models, strict=False)]
    handles += [Line2D([], [], color=_NOISE, lw=6, label="half-normal noise, 90 %")]
    axis.legend(handles=handles, frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axis.set(title="exponent in the fixed window", ylabel="rank exponent")
    step_axis(axis, table.step)


def plot_inequality(
    results: str | Path, models: Sequence[str], controls: Sequence[str], panel: str, strata: Sequence[str]
) -> Figure:
    """Draw Gini index and excess kurtosis, with and without the three strongest neurons, of runs and controls."""
    table = load_timeline(results, "differentiation", models=[*models, *controls], pandas=True)
    table = table[(table.panel == panel) & table.stratum.isin(list(strata))]
    columns = {
        "gini": "Gini index of |influence|",
        "excess_kurtosis": "excess kurtosis",
        "excess_kurtosis_without_top": "without the top 3",
    }
    figure, axes = grid(1, len(columns), width=3.9, height=3.4)
    for axis, (column, label) in zip(axes[0], columns.items(), strict=True):
        for stratum, colour in stratum_colours(strata).items():
            for model, style in _styled(models, controls):
                lines = table[(table.model == model) & (table.stratum == stratum)].sort_values("step")
                axis.plot(x(lines.step), lines[column], style, color=colour, marker=".", ms=4, lw=1.2)
        axis.set_title(label)
        step_axis(axis, table.step)
    axes[0, 0].axhline(2**0.5 - 1, color=_NOISE, lw=4, zorder=0)
    for axis in axes[0, 1:]:
        axis.axhline(0, color=_NOISE, lw=4, zorder=0)
    top = max(axis.get_ylim()[1] for axis in axes[0, 1:])
    for axis in axes[0, 1:]:
        axis.set_ylim(-0.05 * top, top)
    handles = [Line2D([], [], color=c, label=f"{s} tokens") for s, c in stratum_colours(strata).items()]
    handles += [Line2D([], [], color="black", ls=ls, label=m) for m, ls in _styled(models, controls)]
    handles += [Line2D([], [], color=_NOISE, lw=4, label="half-normal noise")]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=8)
    return figure


def _styled(models: Sequence[str], controls: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Runs solid and dashed, controls dotted."""
    yield from zip(models, ("-", "--", "-.") * 8, strict=False)
    yield from ((control, ":") for control in controls)


def _ranked(results: str | Path, model: str, step: int | None, panel: str, stratum: str) -> np.ndarray:
    """|influence| in falling order over its median; the last good step where none is given."""
    if step is None:
        step = int(load_timeline(results, "influence", models=model, columns=["step"], pandas=True).step.max())
    kept = {"models": model, "steps": [step], "stratum": stratum, "panel": panel, "columns": ["influence"]}
    values: pd.Series = load_influence(results, **kept, pandas=True).influence.abs()
    ranked = np.sort(values.to_numpy())[::-1]
    return ranked / np.median(ranked)


def _noise(n: int) -> np.ndarray:
    """Ranked half-normal draws over their medians, [draw rank]."""
    drawn = np.sort(np.abs(np.random.default_rng(0).standard_normal((_DRAWS, n))), axis=1)[:, ::-1]
    return drawn / np.median(drawn, axis=1, keepdims=True)


def _slopes(log_rank: np.ndarray, log_values: np.ndarray) -> np.ndarray:
    """Minus the least-squares slope of each row."""
    centred = log_rank - log_rank.mean()
    return -(log_values @ centred) / (centred @ centred)
