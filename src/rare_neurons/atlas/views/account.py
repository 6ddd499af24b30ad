"""Where the loss change came from: which weights brought it, interval by interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import altair as alt
import pandas as pd

from rare_neurons.atlas.view import Content
from rare_neurons.figures.style import COLOURS, OTHERS

if TYPE_CHECKING:
    from rare_neurons.atlas.tree import Tree

KINDS = ("neuron", "head", "embedding", "unembedding", "norm", "other")
_COLOURS = (COLOURS["common"], OTHERS[2], OTHERS[0], OTHERS[1], "#bbbbbb", "#777777")
_DIGITS = 6  # of a nat: far below what forward passes in float32 resolve


def build(tree: Tree) -> Content:
    """Give the sums of every interval by kind and layer, and the measured change beside them."""
    table = tree.timeline("allocation", tree.models)
    changes = tree.timeline("allocation_changes", tree.models)
    facts = {
        "models": {model: accounts(table[table.model == model], changes) for model in table.model.unique()},
        "strata": [name for name in tree.strata if name in set(table.stratum)],
        "kinds": [kind for kind in KINDS if kind in set(table.kind)],
    }
    return Content(
        charts={"bars": _bars(), "parts": _parts()},
        titles={"bars": "All intervals between measured checkpoints", "parts": "The chosen interval, layer by layer"},
        notes={
            "bars": (
                "Below zero: improved the loss. Black: the change itself, from plain forward passes; the bars of both "
                "signs add up to it. A click chooses an interval."
            )
        },
        facts=facts,
        columns=2,
    )


def accounts(rows: pd.DataFrame, changes: pd.DataFrame) -> Mapping[str, object]:
    """Account of one model as columns: what each kind of each layer brought, and each interval's change.

    Parameters
    ----------
    rows : DataFrame
        Of the timeline `allocation`, of one model.
    changes : DataFrame
        Of `allocation_changes`, of any models.
    """
    model = rows.model.iloc[0]
    parts = rows.rename(columns={"allocation": "whole", "allocation_within": "within"})
    names = ["step_before", "step", "layer", "kind", "token_stratum", "stratum", "whole", "within"]
    ends = changes[changes.model == model][["step_before", "step", "stratum", "part", "loss_change"]]
    return {"parts": _columns(parts.reindex(columns=names)), "changes": _columns(ends)}


def _columns(table: pd.DataFrame) -> Mapping[str, list[object]]:
    return {
        name: [
            None if pd.isna(v) else round(float(v), _DIGITS) if isinstance(v, float) and name != "layer" else v
            for v in table[name].astype(object)
        ]
        for name in table
    }


def _colour() -> alt.Color:
    return alt.Color("kind:N").title("weights").scale(domain=list(KINDS), range=list(_COLOURS))


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("interval:N", title="between steps"),
        alt.Tooltip("_label:N", title="weights"),
        alt.Tooltip("change:Q", format="+.4f", title="change of the loss (nats)"),
    ]


def _bars() -> Mapping[str, object]:
    x = alt.X("interval:N").sort(None).title("between steps").axis(labelAngle=-40)
    change = alt.Y("change:Q").title("change of the loss (nats)")
    bars = (
        alt.Chart(alt.Data(name="parts"))
        .mark_bar(stroke="white", strokeWidth=0.4, cursor="pointer")
        .encode(x=x, y=change.stack("zero"), color=_colour(), order="_order:Q", detail="_label:N", tooltip=_tooltip())
    )
    ticks = (
        alt.Chart(alt.Data(name="totals"))
        .mark_tick(color="black", thickness=3, cursor="pointer")
        .encode(x=x, y=change, tooltip=[_tooltip()[0], alt.Tooltip("change:Q", format="+.4f", title="measured (nats)")])
    )
    zero = alt.Chart(alt.Data(values=[{}])).mark_rule(color="#666").encode(y=alt.datum(0))
    chosen = alt.Chart(alt.Data(name="totals")).transform_filter("datum._chosen").mark_rect(color="#eceff3").encode(x=x)
    return alt.layer(chosen, bars, zero, ticks).properties(width="container", height=300).to_dict()


def _parts() -> Mapping[str, object]:
    """Split of the chosen interval: a row for each layer, the ends of the model and what belongs to none."""
    return (
        alt.Chart(alt.Data(name="split"))
        .mark_bar(stroke="white", strokeWidth=0.4)
        .encode(
            x=alt.X("change:Q").title("change of the loss (nats)").stack("zero"),
            y=alt.Y("_place:N").sort(None).title(None).axis(labelLimit=220),
            color=_colour(),
            detail="_label:N",
            tooltip=_tooltip(),
        )
        .properties(width="container", height={"step": 18})
        .to_dict()
    )
