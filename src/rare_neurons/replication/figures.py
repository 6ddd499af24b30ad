"""Figures of the replication: what the seed studies' conventions read from runs, from controls and from noise."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rare_neurons.figures.parts.legends import explain
from rare_neurons.figures.parts.ticks import step_axis, x
from rare_neurons.figures.style import OTHERS, grid, stratum_colours, styles
from rare_neurons.numerics.regimes.seed_conventions import DECAY_LOG_RANK, PLATEAU_LOG_RANK
from rare_neurons.replication.inputs import ALL_SIGNS, Tree
from rare_neurons.replication.statistics import HALF_NORMAL_GINI, ranked_over_median

_NOISE, _START, _LAST, _CONTROL = "0.8", "#56B4E9", "#D55E00", "#009E73"
_LINES = {"step 0": _START, "last step": _LAST, "controls, last step": _CONTROL}
_INDICES = {
    "gini": "Gini index of |influence|",
    "excess_kurtosis": "excess kurtosis",
    "excess_kurtosis_without_top": "without the top 3",
}


def plot_ranked(tree: Tree, *, figure: Figure | None = None) -> Figure:
    """Draw ranked |influence| beside half-normal noise, and the fixed window's exponent over steps.

    Curves are those of the first place where exponents are read. `figure` is drawn into instead of a new one.
    """
    panels = [*tree.read_at[:1], *((panel, tree.read_at[-1][1]) for panel in tree.draws[:2])]
    figure, axes = grid(1, 2, width=6.2, height=3.9, figure=figure)
    _draw_curves(axes[0, 0], tree)
    _draw_exponents(axes[0, 1], tree, panels)
    return figure


def _draw_curves(axis: Axes, tree: Tree) -> None:
    (panel, stratum), *_ = tree.read_at
    drawn = [(m, 0, _START) for m in tree.models] + [(m, tree.steps(m)[-1], _LAST) for m in tree.models]
    drawn += [(m, tree.steps(m)[-1], _CONTROL) for m in tree.controls]
    for model, step, colour in drawn:
        neurons = tree.neurons(panel=panel, model=model, step=step, stratum=stratum)
        ranked = ranked_over_median(neurons.influence)
        axis.plot(np.arange(1, len(ranked) + 1), ranked, color=colour, lw=1.3)
    noise = tree.noise_band
    axis.fill_between(np.arange(1, len(noise.low) + 1), noise.low, noise.high, color=_NOISE, lw=0, zorder=0)
    for cut in (PLATEAU_LOG_RANK, DECAY_LOG_RANK):
        axis.axvline(np.exp(cut), color="black", lw=0.8, ls=":")
    axis.set(xscale="log", yscale="log", xlabel="rank of the neuron", ylabel="|influence| / median")
    axis.set(title=f"ranked |influence| on {stratum} tokens", ylim=(3e-2, None))
    handles = [Line2D([], [], color=colour, label=label) for label, colour in _LINES.items()]
    handles += [Line2D([], [], color=_NOISE, lw=6, label="half-normal noise, 90 %")]
    handles += [Line2D([], [], color="black", lw=0.8, ls=":", label="fixed cuts")]
    axis.legend(handles=handles, frameon=False, fontsize=8, loc="lower left")


def _draw_exponents(axis: Axes, tree: Tree, panels: Sequence[tuple[str, str]]) -> None:
    colours = ("#0072B2", *OTHERS[1:3])
    table = tree.rows("regimes", convention="seed_fixed_cuts", sign=ALL_SIGNS)
    table = table[table.model.isin(tree.models)]
    for (panel, stratum), colour in zip(panels, colours, strict=False):
        for style, model in zip(styles(), tree.models, strict=False):
            kept = (table.panel == panel) & (table.stratum == stratum) & (table.model == model)
            lines = table[kept].sort_values("step")
            axis.plot(x(lines.step), lines.rank_exponent, ls=style, color=colour, marker=".", ms=4, lw=1.2)
    axis.axhspan(tree.noise_band.exponent_low, tree.noise_band.exponent_high, color=_NOISE, zorder=0)
    handles = [Line2D([], [], color=c, label=f"{s} ({p})") for (p, s), c in zip(panels, colours, strict=False)]
    handles += [Line2D([], [], color="black", ls=ls, label=m) for ls, m in zip(styles(), tree.models, strict=False)]
    handles += [Line2D([], [], color=_NOISE, lw=6, label="half-normal noise, 90 %")]
    axis.legend(handles=handles, frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axis.set(title="exponent in the fixed window", ylabel="rank exponent")
    step_axis(axis, table.step)


def plot_inequality(tree: Tree, *, figure: Figure | None = None) -> Figure:
    """Draw Gini index and excess kurtosis, with and without the three strongest neurons, of runs and controls.

    The Gini index stands beside that of noise with the same standard errors (thin): it follows signal to noise.
    `figure` is drawn into instead of a new one.
    """
    figure, axes = grid(1, len(_INDICES), width=3.9, height=3.4, figure=figure)
    for axis, (column, label) in zip(axes[0], _INDICES.items(), strict=True):
        _draw_index(axis, tree, column)
        axis.set_title(label)
    axes[0, 0].axhline(HALF_NORMAL_GINI, color=_NOISE, lw=4, zorder=0)
    for axis in axes[0, 1:]:
        axis.axhline(0, color=_NOISE, lw=4, zorder=0)
    top = max(axis.get_ylim()[1] for axis in axes[0, 1:])
    for axis in axes[0, 1:]:
        axis.set_ylim(-0.05 * top, top)
    handles = [Line2D([], [], color=c, label=f"{s} tokens") for s, c in stratum_colours(tree.strata).items()]
    named = [(m, ls) for m, ls in _styled(tree) if m in tree.models]
    named += [("controls", ":")] if tree.controls else []
    handles += [Line2D([], [], color="black", ls=ls, label=name) for name, ls in named]
    handles += [Line2D([], [], color="black", lw=0.7, alpha=0.5, label="of noise with the same errors")]
    handles += [Line2D([], [], color=_NOISE, lw=4, label="half-normal noise")]
    explain(figure, handles)
    return figure


def _draw_index(axis: Axes, tree: Tree, column: str) -> None:
    table = tree.rows("inequality", panel=tree.ours)
    table = table[table.stratum.isin(list(tree.strata))]
    for stratum, colour in stratum_colours(tree.strata).items():
        for model, style in _styled(tree):
            lines = table[(table.model == model) & (table.stratum == stratum)].sort_values("step")
            axis.plot(x(lines.step), lines[column], ls=style, color=colour, marker=".", ms=4, lw=1.2)
            if column == "gini":
                axis.plot(x(lines.step), lines.gini_noise, ls=style, color=colour, lw=0.7, alpha=0.5)
    step_axis(axis, table.step)


def _styled(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield runs with solid and dashed lines, controls with dotted ones."""
    yield from zip(tree.models, ("-", "--", "-.") * 8, strict=False)
    yield from ((control, ":") for control in tree.controls)
