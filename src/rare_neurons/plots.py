"""Figures from results tables only; each function returns a matplotlib figure and leaves matplotlib's state alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from rare_neurons.results import list_models, load_integrity, load_shards, load_timeline

COLOURS = {"common": "#0072B2", "mid": "#999999", "rare": "#D55E00"}  # Okabe & Ito: told apart by colour-blind readers
_OTHERS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_SEEDS = ("-", "--", "-.", ":")
_VERDICTS = {
    "ok": "#009E73",
    "unchanged": "#56B4E9",
    "missing": "#999999",
}
_QUARANTINED = "#D55E00"


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

    The shaded band is the interval over resampled contexts; bins whose value is not above zero are not drawn, and a
    curve ends where its band reaches zero for good: beyond, ranks cannot be told from noise.
    """
    models = _models(results, models)
    table = load_shards(results, "curves", models=models, pandas=True).query("sign == 'all'")
    strata = [s for s in strata if s in set(table.stratum)] or list(dict.fromkeys(table.stratum))
    figure, axes = _grid(len(models), len(strata), width=4.2, height=3.3, sharex=True, sharey=True)
    steps = sorted(set(table.step))
    norm, cmap = LogNorm(1, max(max(steps) + 1, 2)), _colormap()
    for row, model in zip(axes, models, strict=True):
        for axis, stratum in zip(row, strata, strict=True):
            mine = table[(table.model == model) & (table.stratum == stratum)]
            for step in steps:
                _rank_curve(axis, mine[mine.step == step], cmap(norm(step + 1)))
            axis.set(xscale="log", yscale="log", title=f"{model}: {stratum}")
    for axis in axes[-1]:
        axis.set_xlabel("rank of the neuron")
    for row in axes:
        row[0].set_ylabel("cross-fitted influence (nats)")
    _step_bar(figure, axes, norm, cmap)
    return figure


def plot_alpha(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw the power-law exponent of every weight matrix over steps, beside its shuffled null (grey)."""
    models = _models(results, models)
    table = load_timeline(results, "spectra", models=models, include_quarantined=True, pandas=True)
    kinds = list(dict.fromkeys(table.sort_values("layer", na_position="last").matrix))
    columns = 3
    figure, axes = _grid(-(-len(kinds) // columns), columns, width=3.4, height=2.6)
    flat = axes.ravel()
    for axis, kind in zip(flat, kinds, strict=False):
        for style, model in zip(_styles(), models, strict=False):
            for index, (layer, lines) in enumerate(_layers(table[(table.matrix == kind) & (table.model == model)])):
                held = lines.quarantined
                axis.plot(
                    _x(lines.step),
                    lines.alpha.where(~held),
                    style,
                    color=_layer_colour(index),
                    label=f"{model} {layer}",
                )
                _mark(axis, lines.step[held], lines.alpha[held])
            null = table[(table.matrix == kind) & (table.model == model)].groupby("step")
            if table.alpha_shuffled.notna().any():
                low, high = null.alpha_shuffled_low.min(), null.alpha_shuffled_high.max()
                axis.fill_between(_x(low.index), low, high, color="0.8", lw=0, zorder=0)
        axis.set(title=kind, yscale="log")
        _plain_log_axis(axis)
        _step_axis(axis, table.step)
    for axis in flat[len(kinds) :]:
        axis.remove()
    for axis in flat[: len(kinds)]:
        if axis.get_subplotspec().is_first_col():
            axis.set_ylabel("alpha")
    layers = [layer for layer in _layer_names(table) if layer]
    _legend(figure, {name: _layer_colour(index) for index, name in enumerate(layers)}, models)
    return figure


def plot_integrity(results: str | Path, models: Sequence[str] | None = None) -> Figure:
    """Draw the verdict on every checkpoint as a strip: one row per model, one cell per step."""
    models = _models(results, models)
    table = load_integrity(results, models=models, pandas=True)
    steps = sorted(set(table.step))
    figure, axes = _grid(1, 1, width=max(5.0, 0.28 * len(steps) + 2), height=0.5 * len(models) + 1.3)
    axis = axes[0, 0]
    shown = {}
    for row, model in enumerate(models):
        for _, verdict in table[table.model == model].iterrows():
            colour = _VERDICTS.get(verdict.status, _QUARANTINED)
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


def plot_emergence(results: str | Path, subject: str) -> Figure:
    """Draw the onset of every declared quantity as the interval between two checkpoints, or what was not detected."""
    table = load_timeline(results, "emergence", models=subject, pandas=True)
    figure, axes = _grid(1, 1, width=7.5, height=0.42 * len(table) + 1.5)
    axis = axes[0, 0]
    for row, onset in enumerate(table.itertuples()):
        colour = COLOURS.get(onset.stratum, _OTHERS[0])
        if onset.detected:
            after, by = _x([onset.onset_after if onset.onset_after == onset.onset_after else 0, onset.onset_by])
            axis.plot([after, by], [row, row], color=colour, lw=6, solid_capstyle="butt")
            if onset.onset_low == onset.onset_low and onset.onset_high == onset.onset_high:
                axis.plot(_x([onset.onset_low, onset.onset_high]), [row, row], color=colour, lw=1.5)
        else:
            axis.text(
                0.02,
                row,
                _not_detected(onset),
                fontsize=8,
                color="0.4",
                va="center",
                transform=axis.get_yaxis_transform(),
            )
    axis.set_yticks(range(len(table)), table.quantity)
    axis.set(ylim=(len(table) - 0.5, -0.5), title=f"{subject}: onset between two checkpoints")
    _step_axis(axis, load_timeline(results, "behaviour", columns=["step"], pandas=True).step)
    return figure


def _not_detected(onset: object) -> str:
    if onset.status != "ok":
        return onset.status.replace("_", " ")
    effect = (
        ""
        if onset.minimal_effect != onset.minimal_effect
        else f"; an even change of {onset.minimal_effect:.2g} would be"
    )
    return f"not detected (p = {onset.p_value:.2f}{effect})"


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
    figure, axes = _grid(-(-len(columns) // 2), min(2, len(columns)), width=4.6, height=3.2)
    for axis, (column, label) in zip(axes.ravel(), columns, strict=False):
        for style, model in zip(_styles(), models, strict=False):
            for stratum, colour in _stratum_colours(table.stratum).items():
                lines = table[(table.model == model) & (table.stratum == stratum)].sort_values("step")
                kept = lines[~lines.quarantined]
                axis.plot(_x(kept.step), kept[column], style, color=colour, marker=".", ms=4)
                _mark(axis, lines.step[lines.quarantined], lines[column][lines.quarantined])
        axis.set_ylabel(label)
        if log:
            axis.set_yscale("log")
        _step_axis(axis, table.step)
    _legend(figure, _stratum_colours(table.stratum), models)
    return figure


def _models(results: str | Path, models: Sequence[str] | None) -> list[str]:
    return list_models(results) if models is None else list(models)


def _grid(rows: int, columns: int, *, width: float, height: float, **share: bool) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **share)


def _styles() -> list[str]:
    return list(_SEEDS) * 8


def _stratum_colours(strata: Sequence[str]) -> dict[str, str]:
    names = list(dict.fromkeys(strata))
    free = iter(_OTHERS * 4)
    return {name: COLOURS.get(name) or next(free) for name in names}


def _x(steps: Sequence[int]) -> np.ndarray:
    """Place step 0 on a logarithmic axis: half a step before step 1."""
    steps = np.asarray(steps, dtype=float)
    return np.where(steps == 0, 0.5, steps)


def _step_axis(axis: Axes, steps: Sequence[int]) -> None:
    axis.set_xscale("log")
    last = max(steps)
    ticks = [0.5, *(10.0**k for k in range(int(np.log10(max(last, 1))) + 1))]
    axis.set_xticks(ticks, ["0", *(f"{int(t):,}" for t in ticks[1:])])
    axis.set_xticks([], minor=True)
    axis.set_xlim(0.4, last * 1.2)
    axis.set_xlabel("step")


def _plain_log_axis(axis: Axes) -> None:
    """Label a logarithmic axis of a decade or so with plain numbers."""
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_locator(NullLocator())


def _mark(axis: Axes, steps: Sequence[int], values: Sequence[float]) -> None:
    """Draw quarantined checkpoints as crosses; they enter no line."""
    axis.plot(_x(steps), values, "x", color="black", ms=5)


def _legend(figure: Figure, colours: Mapping[str, str], models: Sequence[str]) -> None:
    """Explain colours and, where there are several models, line styles, beside the axes."""
    handles = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    if len(models) > 1:
        styles = zip(_styles(), models, strict=False)
        handles += [Line2D([], [], color="black", ls=style, lw=1, label=model) for style, model in styles]
    figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=8)


def _colormap() -> object:
    import matplotlib

    return matplotlib.colormaps["viridis_r"]


def _rank_curve(axis: Axes, curve: object, colour: object) -> None:
    unresolved = np.flatnonzero(curve.low.to_numpy() <= 0)
    curve = curve[: int(unresolved[0])] if len(unresolved) else curve
    if len(curve) < 2:
        return
    axis.plot(curve.rank_mid, curve.value, color=colour, lw=1.4)
    axis.fill_between(curve.rank_mid, curve.low, curve.high, color=colour, alpha=0.2, lw=0)


def _step_bar(figure: Figure, axes: np.ndarray, norm: object, cmap: object) -> None:
    from matplotlib.cm import ScalarMappable

    bar = figure.colorbar(ScalarMappable(norm, cmap), ax=axes, shrink=0.8, pad=0.02)
    bar.set_label("step + 1")


def _layers(table: object) -> list[tuple[str, object]]:
    return [
        ("" if layer != layer else f"layer {int(layer)}", rows.sort_values("step"))
        for layer, rows in table.groupby("layer", dropna=False)
    ]


def _layer_names(table: object) -> list[str]:
    return [f"layer {int(layer)}" for layer in sorted(set(table.layer.dropna()))]


def _layer_colour(index: int) -> str:
    return ("#0072B2", "#D55E00", *_OTHERS)[index % 6]
