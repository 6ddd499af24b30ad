"""Layer x matrix: the power-law exponent beside its null, and a matrix's eigenvalues with the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import pandas as pd

from rare_neurons.atlas.arrays import pack_half
from rare_neurons.atlas.view import Content
from rare_neurons.tables import read_table

if TYPE_CHECKING:
    from rare_neurons.atlas.tree import Tree

N_TOP, N_QUANTILES = 20, 128
"""Eigenvalues that are drawn of a matrix: its largest, and quantiles of the rest."""
MOST_VALUES = 3_400_000
"""Eigenvalues of a page, of all its models: 6.8 MB at two bytes each, which holds 154 checkpoints of 146 matrices.

Beyond it checkpoints are left out, evenly."""
FITTED = ("alpha", "alpha_null_low", "alpha_null_high", "alpha_null_p", "log_xmin", "n_tail")
CROSSED = alt.condition("datum.quarantined", alt.value("cross"), alt.value("circle"))
"""Shape of a checkpoint's point: quarantined ones enter no line."""
_COLUMNS = ["W_Q", "W_K", "W_V", "W_O", "W_in", "W_gate", "W_out", "W_E", "W_U"]
_TENS = "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6 ? format(datum.value, '~e') : ''"
_ROW, _LEAST = 19, 110  # pixels of a layer and of the map


def build(tree: Tree) -> Content:
    """Fits of every model as arrays [quantity, matrix, step], eigenvalues as [step, matrix, place]."""
    spectra = _joined(tree)
    matrices = _matrices(spectra)
    budget = MOST_VALUES // (len(matrices) * (N_TOP + N_QUANTILES) * spectra.model.nunique())
    arrays, models = {}, {}
    for model, rows in spectra.groupby("model", sort=False):
        steps = sorted(int(step) for step in rows.step.unique())
        arrays[f"fits/{model}"] = pack_half(fits(rows, matrices, steps))
        files = tree.shards("eigenvalues", str(model))
        kept = thinned([step for step in steps if step in files], max(budget, 2))
        if kept:
            arrays[f"eigenvalues/{model}"] = pack_half(eigenvalues([files[step] for step in kept], matrices))
        own = {one["name"]: one for one in _matrices(rows)}
        models[model] = {"steps": steps, "kept": kept, "sizes": [own.get(one["name"]) for one in matrices]}
    return Content(
        charts={"map": _map(matrices), "course": _course(), "eigenvalues": _eigenvalues()},
        titles={
            "map": "At the chosen step",
            "course": "The chosen matrix over training",
            "eigenvalues": "Its spectrum",
        },
        notes={
            "map": "In brackets, pale: inside what nine in ten Gaussian matrices of the shape give. A click chooses.",
            "course": "Grey: where nine in ten Gaussian matrices of the shape lie. Hollow: inside. Cross: quarantined.",
            "eigenvalues": "Dots: the 20 largest and 128 quantiles of the rest. Line: the fitted tail.",
        },
        arrays=arrays,
        facts={"matrices": matrices, "quantities": list(FITTED), "models": models, "n_top": N_TOP},
        columns=3,
    )


def ranks(n: int) -> np.ndarray:
    """Ranks, 1 the largest, of the eigenvalues that are drawn of n: all, or the largest and evenly spaced others."""
    if n <= N_TOP + N_QUANTILES:
        return np.arange(1, n + 1)
    return np.concatenate([np.arange(1, N_TOP + 1), np.linspace(N_TOP + 1, n, N_QUANTILES).round().astype(int)])


def fits(rows: pd.DataFrame, matrices: Sequence[Mapping[str, object]], steps: Sequence[int]) -> np.ndarray:
    """Quantities of `FITTED` of one model, NaN where there is no fit: array [quantity, matrix, step]."""
    found = np.full((len(FITTED), len(matrices), len(steps)), np.nan)
    places = {one["name"]: k for k, one in enumerate(matrices)}
    index = tuple(
        rows[name].map(place) for name, place in (("name", places), ("step", {s: k for k, s in enumerate(steps)}))
    )
    for quantity, name in enumerate(FITTED):
        found[quantity][index] = rows[name].to_numpy(dtype=float)
    return found


def eigenvalues(files: Sequence[Path], matrices: Sequence[Mapping[str, object]]) -> np.ndarray:
    """Decadic logarithms of the drawn eigenvalues, largest first, NaN where none: array [step, matrix, place]."""
    places = {one["name"]: k for k, one in enumerate(matrices)}
    found = np.full((len(files), len(matrices), N_TOP + N_QUANTILES), np.nan)
    for step, file in enumerate(files):
        table = read_table(file, ["layer", "matrix", "eigenvalues"])
        for layer, matrix, values in zip(*(table[name] for name in table.column_names), strict=True):
            if values.is_valid:
                falling = values.values.to_numpy(zero_copy_only=False)[::-1]
                drawn = falling[ranks(len(falling)) - 1]
                place = found[step, places[name_of(layer.as_py(), matrix.as_py())]]
                place[: len(drawn)] = np.log10(drawn, out=np.full(len(drawn), np.nan), where=drawn > 0)
    return found


def thinned(steps: Sequence[int], most: int) -> list[int]:
    """At most so many steps, the first and the last among them, evenly chosen by their place."""
    if len(steps) <= most:
        return list(steps)
    return [steps[k] for k in np.unique(np.linspace(0, len(steps) - 1, most).round().astype(int))]


def name_of(layer: float | None, matrix: str) -> str:
    """Name of a matrix: with its layer where it has one."""
    return matrix if layer is None or layer != layer else f"layer {layer:.0f} {matrix}"


def _joined(tree: Tree) -> pd.DataFrame:
    """Fits of all models, with their nulls where these were drawn."""
    keys = ["model", "step", "layer", "matrix"]
    spectra = tree.timeline("spectra", tree.models)[[*keys, "rows", "cols", "alpha", "xmin", "n_tail"]]
    nulls = ["alpha_null_low", "alpha_null_high", "alpha_null_p"]
    beside = tree.timeline("alpha", tree.models, needed=False)
    if len(beside):
        spectra = spectra.merge(beside[[*keys, *nulls]], on=keys, how="left")
    spectra = spectra.reindex(columns=list(dict.fromkeys([*spectra.columns, *nulls])))
    names = [name_of(layer, matrix) for layer, matrix in zip(spectra.layer, spectra.matrix, strict=True)]
    return spectra.assign(name=names, log_xmin=np.log10(spectra.xmin.where(spectra.xmin > 0)))


def _matrices(spectra: pd.DataFrame) -> list[Mapping[str, object]]:
    """Every matrix once, in the order of a forward pass."""
    once = spectra.drop_duplicates("name").assign(place=lambda t: t.matrix.map(_column))
    return [
        {
            "name": row.name_,
            "layer": None if row.layer != row.layer else int(row.layer),
            "matrix": row.matrix,
            "rows": int(row.rows),
            "cols": int(row.cols),
            "n": int(min(row.rows, row.cols)),
            "ranks": ranks(int(min(row.rows, row.cols))).tolist(),
        }
        for row in once.sort_values(["layer", "place"]).rename(columns={"name": "name_"}).itertuples()
    ]


def _column(matrix: str) -> int:
    return _COLUMNS.index(matrix) if matrix in _COLUMNS else len(_COLUMNS)


def _map(matrices: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    columns = sorted({str(one["matrix"]) for one in matrices}, key=_column)
    x = (
        alt.X("matrix:N")
        .sort(columns)
        .title(None)
        .axis(orient="top", labelAngle=0, ticks=False, domain=False, labelPadding=4)
    )
    y = alt.Y("_place:N").sort(None).title("layer")
    colour = alt.Color("alpha:Q").title("alpha").scale(type="log", scheme="viridis", reverse=True).legend(format="~g")
    tooltip = [
        alt.Tooltip("name:N", title="matrix"),
        alt.Tooltip("alpha:Q", format=".3~f"),
        alt.Tooltip("_null:N", title="90 % of Gaussian matrices"),
        alt.Tooltip("alpha_null_p:Q", format=".3~f", title="share of them below"),
    ]
    base = alt.Chart(alt.Data(name="cells")).encode(x=x, y=y, tooltip=tooltip)
    rect = base.mark_rect(cursor="pointer", stroke="white").encode(
        color=colour, opacity=alt.condition("datum.inside", alt.value(0.3), alt.value(1.0))
    )
    text = base.mark_text(fontSize=10, cursor="pointer").encode(
        text="_label:N", color=alt.condition("datum.inside || datum._light", alt.value("#222"), alt.value("white"))
    )
    chosen = base.transform_filter("datum._chosen").mark_rect(fillOpacity=0, stroke="black", strokeWidth=2)
    n_rows = len({one["layer"] for one in matrices})
    return alt.layer(rect, text, chosen).properties(width="container", height=max(_ROW * n_rows, _LEAST)).to_dict()


def _course() -> Mapping[str, object]:
    """Alpha over training; the script sets the horizontal axis."""
    base = alt.Chart(alt.Data(name="points")).encode(x=alt.X("x:Q"))
    alpha = alt.Y("alpha:Q").title("alpha").scale(type="log", zero=False, nice=False).axis(format="~g")
    tooltip = [alt.Tooltip("step:Q", format=","), alt.Tooltip("alpha:Q", format=".3~f"), alt.Tooltip("_null:N")]
    null = (
        base.mark_area(color="#d9d9d9")
        .encode(y=alpha, y2="alpha_null_high:Q")
        .transform_calculate(alpha="datum.alpha_null_low")
    )
    line = base.transform_filter("!datum.quarantined").mark_line(color="#0072B2", strokeWidth=1.5).encode(y=alpha)
    points = base.mark_point(size=45, opacity=1, stroke="#0072B2", cursor="pointer").encode(
        y=alpha,
        fill=alt.condition("datum.inside", alt.value("white"), alt.value("#0072B2")),
        tooltip=tooltip,
        shape=CROSSED,
    )
    chosen = base.transform_filter("datum._chosen").mark_rule(strokeDash=[4, 3], color="#444")
    return alt.layer(null, line, points, chosen).properties(width="container", height=230).to_dict()


def _eigenvalues() -> Mapping[str, object]:
    """Share of eigenvalues at or above each, both logarithmic: a power law is straight."""
    x = alt.X("value:Q").title("eigenvalue (squared weight)").scale(type="log", nice=False).axis(labelExpr=_TENS)
    y = alt.Y("share:Q").title("share at or above").scale(type="log", nice=False).axis(labelExpr=_TENS)
    tooltip = [alt.Tooltip("rank:Q"), alt.Tooltip("value:Q", format=".3~e"), alt.Tooltip("share:Q", format=".3~g")]
    points = alt.Chart(alt.Data(name="points")).mark_point(filled=True, size=16, color="#0072B2", opacity=0.8)
    fit = alt.Chart(alt.Data(name="fit")).mark_line(color="#D55E00", strokeWidth=2).encode(x=x, y=y)
    return alt.layer(points.encode(x=x, y=y, tooltip=tooltip), fit).properties(width="container", height=230).to_dict()
