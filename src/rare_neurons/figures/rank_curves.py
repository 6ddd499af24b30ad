"""Ranked influence, step by step."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib import colormaps
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from rare_neurons.figures.style import chosen_models, grid, nothing_to_draw, of_panel, rank_curve, step_bar
from rare_neurons.results import load_integrity, load_shards

_DECADES = 1e6  # below the largest value: what a run without any influence shows is rounding


def plot_rank_curves(
    results: str | Path,
    models: Sequence[str] | None = None,
    strata: Sequence[str] = ("common", "rare"),
    *,
    figure: Figure | None = None,
) -> Figure:
    """Draw the cross-fitted ranked influence of every step on log-log axes, one column per stratum.

    The shaded band is the interval over resampled contexts; bins whose interval reaches zero are not drawn, for there
    nothing tells neurons from noise. `figure` is drawn into instead of a new one.
    """
    models = chosen_models(results, models)
    table = load_shards(results, "curves", models=models).query("sign == 'all'")
    verdicts = load_integrity(results, models=models)
    good = verdicts[~verdicts.quarantined][["model", "step"]]
    table = table.merge(good, on=["model", "step"])
    strata = [s for s in strata if s in set(table.stratum)] or list(dict.fromkeys(table.stratum))
    table = table[table.stratum.isin(strata)]
    rows = [key for key, _ in table.groupby(["model", "panel"], sort=False)]
    if not rows:
        return nothing_to_draw(figure)
    figure, axes = grid(len(rows), len(strata), width=4.2, height=3.3, figure=figure, sharex=True, sharey=True)
    steps = sorted(set(table.step))
    norm, cmap = LogNorm(1, max(max(steps) + 1, 2)), colormaps["viridis_r"]
    for row, (model, panel) in zip(axes, rows, strict=True):
        for axis, stratum in zip(row, strata, strict=True):
            mine = table[(table.model == model) & (table.panel == panel) & (table.stratum == stratum)]
            for step in steps:
                rank_curve(axis, mine[mine.step == step], cmap(norm(step + 1)))
            axis.set(xscale="log", yscale="log", title=f"{model}: {stratum}{of_panel(table, panel)}")
    largest = table.high.max()
    if not (table.low > 0).any():  # no values for logarithmic axes to take their limits from
        top = largest if largest > 0 else 1.0
        axes[0, 0].set(xlim=(1, table.rank_mid.max()), ylim=(top / _DECADES, top))
    elif axes[0, 0].get_ylim()[0] < largest / _DECADES:
        axes[0, 0].set_ylim(bottom=largest / _DECADES)
    for axis in axes[-1]:
        axis.set_xlabel("rank of the neuron")
    for row in axes:
        row[0].set_ylabel("cross-fitted influence (nats)")
    step_bar(figure, axes, norm, cmap)
    return figure
