"""Figures from results tables only; each function returns a matplotlib figure and leaves matplotlib's state alone."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib import colormaps
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from rare_neurons.drawing import (
    QUARANTINED,
    VERDICTS,
    draw_quarantined,
    grid,
    layer_colour,
    legend,
    mark,
    nothing_to_draw,
    of_panel,
    plain_log_axis,
    rank_curve,
    step_axis,
    step_bar,
    stratum_colours,
    styles,
    x,
)
from rare_neurons.results import list_models, load_integrity, load_shards, load_timeline
from rare_neurons.verdict_plots import plot_claims as plot_claims
from rare_neurons.verdict_plots import plot_emergence as plot_emergence


def plot_loss(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw loss by stratum over steps; one line style per model."""
    return _by_stratum(results, models, "behaviour", [("loss", "loss (nats per token)")])


def plot_influence(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw what ablating a neuron does to the loss, total and within its stratum, over steps."""
    columns = [
        ("rms_influence", "rms influence (nats)"),
        ("rms_influence_within", "rms influence within stratum (nats)"),
    ]
    return _by_stratum(results, models, "influence", columns, log=True)


def plot_differentiation(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw how unequal neurons are, over steps: Gini index and excess kurtosis of their influence."""
    columns = [
        ("gini", "Gini index of |influence|"),
        ("participation_ratio", "participation ratio (neurons)"),
        ("excess_kurtosis", "excess kurtosis"),
        ("excess_kurtosis_without_top", "excess kurtosis without the top 3"),
    ]
    return _by_stratum(results, models, "differentiation", columns)


def plot_rank_curves(
    results: str | Path, models: Sequence[str] | None = None, strata: Sequence[str] = ("common", "rare")
) -> Figure:
    """Draw the cross-fitted ranked influence of every step on log-log axes, one column per stratum.

    The shaded band is the interval over resampled contexts; bins whose interval reaches zero are not drawn, for there
    nothing tells neurons from noise.
    """
    models = _models(results, models)
    table = load_shards(results, "curves", models=models, pandas=True).query("sign == 'all'")
    verdicts = load_integrity(results, models=models, pandas=True)
    good = verdicts[~verdicts.quarantined][["model", "step"]]
    table = table.merge(good, on=["model", "step"])
    strata = [s for s in strata if s in set(table.stratum)] or list(dict.fromkeys(table.stratum))
    rows = [key for key, _ in table.groupby(["model", "panel"], sort=False)]
    if not rows:
        return nothing_to_draw()
    figure, axes = grid(len(rows), len(strata), width=4.2, height=3.3, sharex=True, sharey=True)
    steps = sorted(set(table.step))
    norm, cmap = LogNorm(1, max(max(steps) + 1, 2)), colormaps["viridis_r"]
    for row, (model, panel) in zip(axes, rows, strict=True):
        for axis, stratum in zip(row, strata, strict=True):
            mine = table[(table.model == model) & (table.panel == panel) & (table.stratum == stratum)]
            for step in steps:
                rank_curve(axis, mine[mine.step == step], cmap(norm(step + 1)))
            axis.set(xscale="log", yscale="log", title=f"{model}: {stratum}{of_panel(table, panel)}")
    for axis in axes[-1]:
        axis.set_xlabel("rank of the neuron")
    for row in axes:
        row[0].set_ylabel("cross-fitted influence (nats)")
    step_bar(figure, axes, norm, cmap)
    return figure


def plot_alpha(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw the power-law exponent of every weight matrix over steps, beside its shuffled null (grey)."""
    models = _models(results, models)
    table = load_timeline(results, "spectra", models=models, include_quarantined=True, pandas=True)
    kinds = list(dict.fromkeys(table.sort_values("layer", na_position="last").matrix))
    if not kinds:
        return nothing_to_draw()
    layers = sorted(set(table.layer.dropna()))
    columns = 3
    figure, axes = grid(-(-len(kinds) // columns), columns, width=3.4, height=2.6)
    flat = axes.ravel()
    for axis, kind in zip(flat, kinds, strict=False):
        for style, model in zip(styles(), models, strict=False):
            for layer, lines in table[(table.matrix == kind) & (table.model == model)].groupby("layer", dropna=False):
                lines = lines.sort_values("step")
                held = lines.quarantined
                axis.plot(x(lines.step), lines.alpha.where(~held), style, color=layer_colour(layer, layers))
                mark(axis, lines.step[held], lines.alpha[held])
            null = table[(table.matrix == kind) & (table.model == model)].groupby("step")
            if table.alpha_shuffled.notna().any():
                low, high = null.alpha_shuffled_low.min(), null.alpha_shuffled_high.max()
                axis.fill_between(x(low.index), low, high, color="0.8", lw=0, zorder=0)
        axis.set(title=kind, yscale="log")
        plain_log_axis(axis)
        step_axis(axis, table.step)
        draw_quarantined(axis, load_integrity(results, models=models, pandas=True))
    for axis in flat[len(kinds) :]:
        axis.remove()
    for axis in flat[: len(kinds)]:
        if axis.get_subplotspec().is_first_col():
            axis.set_ylabel("alpha")
    legend(figure, {f"layer {int(layer)}": layer_colour(layer, layers) for layer in layers}, models)
    return figure


def plot_integrity(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw the verdict on every checkpoint as a strip: one row per model, one cell per step."""
    models = _models(results, models)
    table = load_integrity(results, models=models, pandas=True)
    steps = sorted(set(table.step))
    figure, axes = grid(1, 1, width=max(5.0, 0.28 * len(steps) + 2), height=0.5 * len(models) + 1.3)
    axis = axes[0, 0]
    shown = {}
    for row, model in enumerate(models):
        for _, verdict in table[table.model == model].iterrows():
            colour = VERDICTS.get(verdict.status, QUARANTINED)
            shown.setdefault(verdict.status, colour)
            axis.barh(row, 0.9, left=steps.index(verdict.step) - 0.45, height=0.8, color=colour)
            if verdict.quarantined:
                axis.plot(steps.index(verdict.step), row, "x", color="black", ms=5)
    every = max(1, len(steps) // 16)
    axis.set_xticks(range(0, len(steps), every), [str(s) for s in steps[::every]], rotation=60)
    axis.set_yticks(range(len(models)), models)
    axis.set(xlabel="step", ylim=(len(models) - 0.5, -0.5))
    handles = [axis.barh(0, 0, color=colour, label=status) for status, colour in shown.items()]
    figure.legend(handles=handles, loc="outside upper right", ncols=6, frameon=False)
    return figure


def plot_lineage(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw how much of each step's top neurons is shared with the last step's, and with the step before.

    Thin lines: what two halves of the panel share at that step, which is what noise leaves of a perfect overlap. Grey:
    what two sets at random share.
    """
    models = _models(results, models)
    table = load_timeline(results, "lineage", models=models, pandas=True)
    panels = list(dict.fromkeys(table.panel))
    if not panels:
        return nothing_to_draw()
    figure, axes = grid(len(panels), 2, width=4.6, height=3.2, sharey=True)
    columns = {"jaccard": "shared with the last step's", "jaccard_previous": "shared with the step before's"}
    for row, panel in zip(axes, panels, strict=True):
        for axis, (column, title) in zip(row, columns.items(), strict=True):
            for style, model in zip(styles(), models, strict=False):
                for stratum, colour in stratum_colours(table.stratum).items():
                    kept = (table.panel == panel) & (table.model == model) & (table.stratum == stratum)
                    lines = table[kept].sort_values("step")
                    axis.plot(x(lines.step), lines[column], style, color=colour, marker=".", ms=4)
                    axis.plot(x(lines.step), lines.jaccard_halves, style, color=colour, lw=0.6, alpha=0.6)
            axis.axhline(table.expected_jaccard[table.panel == panel].max(), color="0.6", lw=3, zorder=0)
            axis.set(title=f"{title}{of_panel(table, panel)}", ylim=(-0.02, 1.02))
            step_axis(axis, table.step)
        row[0].set_ylabel("Jaccard index of the top neurons")
    legend(figure, stratum_colours(table.stratum), models)
    return figure


def _by_stratum(
    results: str | Path,
    models: Sequence[str] | None,
    quantity: str,
    columns: Sequence[tuple[str, str]],
    *,
    log: bool = False,
) -> Figure:
    models = _models(results, models)
    table = load_timeline(results, quantity, models=models, include_quarantined=True, pandas=True)
    panels = list(dict.fromkeys(table.panel))
    if not panels:
        return nothing_to_draw()
    across = min(2, len(columns))
    figure, axes = grid(len(panels) * -(-len(columns) // across), across, width=4.6, height=3.2)
    wanted = [(panel, column, label) for panel in panels for column, label in columns]
    for axis, (panel, column, label) in zip(axes.ravel(), wanted, strict=False):
        mine = table[table.panel == panel]
        for style, model in zip(styles(), models, strict=False):
            for stratum, colour in stratum_colours(table.stratum).items():
                lines = mine[(mine.model == model) & (mine.stratum == stratum)].sort_values("step")
                kept = lines[~lines.quarantined]
                axis.plot(x(kept.step), kept[column], style, color=colour, marker=".", ms=4)
                mark(axis, lines.step[lines.quarantined], lines[column][lines.quarantined])
        axis.set_ylabel(f"{label}{of_panel(table, panel)}")
        if log:
            axis.set_yscale("log")
        step_axis(axis, table.step)
        draw_quarantined(axis, load_integrity(results, models=models, pandas=True))
    legend(figure, stratum_colours(table.stratum), models)
    return figure


def _models(results: str | Path, models: Sequence[str] | None) -> list[str]:
    return list_models(results) if models is None else list(models)
