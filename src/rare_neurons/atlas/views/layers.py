"""Layer x step: how much a neuron of each layer acts, for every stratum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import pandas as pd

from rare_neurons.atlas.arrays import pack, pack_half
from rare_neurons.atlas.view import Content

if TYPE_CHECKING:
    from rare_neurons.atlas.tree import Tree

PARTS = ("whole", "within")
_RESOLVED = 2.0  # standard errors from which a mean square is more than noise, as in the figure
_ROW, _LEAST = 15, 110  # pixels of a layer and of a map


def build(tree: Tree) -> Content:
    """Mean squares of every model as arrays [stratum, part, layer, step], and a map for each stratum."""
    table = tree.timeline("layer_audit", tree.models)
    strata = [name for name in tree.strata if name in set(table.stratum)]
    layers = sorted(int(layer) for layer in table.layer.unique())
    arrays, steps, seen = {}, {}, []
    for model, rows in table.groupby("model", sort=False):
        steps[model] = sorted(int(step) for step in rows.step.unique())
        values, resolved = squares(rows, [strata, PARTS, layers, steps[model]])
        seen.append(np.where(resolved, values, np.nan))
        arrays |= {f"rms/{model}": pack_half(values), f"resolved/{model}": pack(resolved)}
    spec = _map(len(layers))
    return Content(
        charts=dict.fromkeys(strata, spec),
        titles={stratum: f"{Content.escaped(stratum)} tokens" for stratum in strata},
        arrays=arrays,
        facts={"strata": strata, "parts": list(PARTS), "layers": layers, "steps": steps, "range": ranges(seen)},
        columns=min(len(strata), 2),
    )


def squares(rows: pd.DataFrame, axes: Sequence[Sequence[object]]) -> tuple[np.ndarray, np.ndarray]:
    """Root mean square influence of one model's cells, NaN where unknown, and whether it is beyond its noise.

    Parameters
    ----------
    rows : DataFrame
        Of `layer_audit`.
    axes : sequence
        Strata, parts, layers and steps, in the order of the arrays.
    """
    shape = tuple(map(len, axes))
    values, resolved = np.full(shape, np.nan), np.zeros(shape, dtype=np.uint8)
    places: list[Mapping[object, int]] = [{name: k for k, name in enumerate(axis)} for axis in axes]
    names = ("stratum", "part", "layer", "step")
    keys = zip(*(rows[name].map(place) for name, place in zip(names, places, strict=True)), strict=True)
    errors = rows.mean_square_se * rows.se_type_factor.clip(lower=1)
    for key, square, error in zip(keys, rows.mean_square, errors, strict=True):
        values[key] = np.sqrt(max(square, 0.0)) if square == square else np.nan
        resolved[key] = square > _RESOLVED * error
    return values, resolved


def ranges(seen: Sequence[np.ndarray]) -> Mapping[str, list[float] | None]:
    """Find the least and the largest resolved value of each part, of all models: one scale for all maps."""
    found: dict[str, list[float] | None] = {}
    for place, part in enumerate(PARTS):
        values = np.concatenate([one[:, place].ravel() for one in seen])
        values = values[values > 0]
        found[part] = [float(values.min()), float(values.max())] if values.size else None
    return found


def _map(n_layers: int) -> Mapping[str, object]:
    """Cells by step and layer; those within their noise are grey and have a dash."""
    x = alt.X("step:O").title("step").axis(labelOverlap="greedy", labelAngle=0, labelExpr="format(datum.value, '~s')")
    y = alt.Y("layer:O").title("layer").sort("descending").axis(labelOverlap="greedy")
    colour = alt.Color("rms:Q").title("rms influence (nats)").scale(type="log", scheme="viridis").legend(format=".0e")
    tooltip = [
        alt.Tooltip("layer:O"),
        alt.Tooltip("step:O"),
        alt.Tooltip("rms:Q", format=".3~g", title="rms influence (nats)"),
        alt.Tooltip("_said:N", title="beyond its noise"),
    ]
    base = alt.Chart(alt.Data(name="cells")).encode(x=x, y=y)
    cells = base.transform_filter("datum.resolved").mark_rect(cursor="pointer").encode(color=colour, tooltip=tooltip)
    noise = base.transform_filter("!datum.resolved")
    grey = noise.mark_rect(color="#e6e6e6", cursor="pointer").encode(tooltip=tooltip)
    dash = noise.mark_text(text="–", color="#666")
    chosen = base.transform_filter("datum._chosen").mark_rect(fillOpacity=0, stroke="black", strokeWidth=1.5)
    height = max(_ROW * n_layers, _LEAST)
    return alt.layer(grey, cells, dash, chosen).properties(width="container", height=height).to_dict()
