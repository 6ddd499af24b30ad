"""The chosen neuron of the last layer: its rank over training, whether it is of the top set, its kind, and examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import pandas as pd

from rare_neurons.atlas.arrays import pack
from rare_neurons.atlas.view import Content, NothingToShow
from rare_neurons.atlas.views.matrices import CROSSED
from rare_neurons.atlas.words import Words, words_of
from rare_neurons.tables import read_table

if TYPE_CHECKING:
    from rare_neurons.atlas.tree import Tree

KINDS = ("other", "dead", "token_detector", "bigram_detector", "trigram_detector", "undecided")
FLAGS = ("silent", "suppressor", "positional")
_MOST_TRIGGERS = 5
_CARD = '<div class="portrait" aria-live="polite"></div>'


def build(tree: Tree) -> Content:
    """Members, kinds and examples of every model that has them."""
    if not any(tree.shards("influence", model) for model in tree.models):
        raise NothingToShow(
            "Not in this results tree: influence; the target 'influence' of the configuration asks for it."
        )
    words = words_of(tree.results, tree.panel)
    arrays, facts = {}, {}
    for model in tree.models:
        kinds, packed = kinds_of(tree, model, words)
        arrays |= packed
        facts[model] = {
            "members": members_of(tree.timeline("members", [model], needed=False)),
            "sizes": _sizes(tree.timeline("lineage", [model], needed=False)),
            "kinds": kinds,
            "examples": examples_of(tree, model, words),
        }
    return Content(
        charts={"rank": _rank()},
        titles={"rank": "Rank by |influence| among the neurons of the layer"},
        notes={"rank": "Filled: among the strongest, as many as the top set has (dashed). Cross: quarantined."},
        arrays=arrays,
        facts={"models": facts, "kinds": list(KINDS), "flags": list(FLAGS)},
        html=_CARD,
        columns=2,
    )


def members_of(members: pd.DataFrame) -> Mapping[str, Mapping[str, object]]:
    """Index the fixed set of every stratum: neuron to rank, sign, birth, settled and persistence."""
    return {
        str(stratum): {
            "reference_step": int(rows.reference_step.iloc[0]),
            "neurons": {
                str(row.neuron): [row.rank, row.sign, row.birth, row.settled, round(row.persistence, 4)]
                for row in rows.itertuples()
            },
        }
        for stratum, rows in (members.groupby("stratum", sort=False) if len(members) else ())
    }


def kinds_of(tree: Tree, model: str, words: Words) -> tuple[Mapping[str, object] | None, Mapping[str, object]]:
    """Kinds of the last layer's neurons at every step that has them: facts, and arrays [step, neuron]."""
    read = {step: read_table(path).to_pandas() for step, path in sorted(tree.shards("kinds", model).items())}
    read = {step: rows for step, rows in read.items() if len(rows)}  # a bad checkpoint has none
    if not read:
        return None, {}
    triggers, positions, codes, flags, active = [], [], [], [], []
    for rows in read.values():
        rows = rows[rows.layer == rows.layer.max()].sort_values("neuron")
        codes.append([KINDS.index(kind) if kind in KINDS else KINDS.index("undecided") for kind in rows.kind])
        flags.append(sum((2**place * rows[name].astype(int) for place, name in enumerate(FLAGS))).tolist())
        active.append(rows.n_active.tolist())
        positions.append(int(rows.n_positions.iloc[0]))
        triggers.append({str(row.neuron): _triggers(row, words) for row in rows.itertuples() if len(row.triggers)})
    arrays = {
        f"kinds/{model}": pack(np.array(codes, dtype=np.uint8)),
        f"flags/{model}": pack(np.array(flags, dtype=np.uint8)),
        f"active/{model}": pack(np.array(active, dtype=np.int32)),
    }
    facts = {"steps": list(read), "positions": positions, "triggers": triggers, "counted": bool(rows.counted.any())}
    return facts, arrays


def examples_of(tree: Tree, model: str, words: Words) -> Mapping[str, Mapping[str, list[list[object]]]]:
    """Index examples by step and neuron: stratum, sign, rank, effect, activation, and text before, at and after."""
    found: dict[str, dict[str, list[list[object]]]] = {}
    for step, path in sorted(tree.shards("examples", model).items()):
        of_step = found.setdefault(str(step), {})
        for row in read_table(path).to_pandas().itertuples():
            text = [words(row.before), words([row.target_id]), words(row.after)]
            number = [f"{row.effect:.3g}", f"{row.activation:.3g}"]
            of_step.setdefault(str(row.neuron), []).append(
                [row.stratum, row.sign, row.rank, *map(float, number), *text]
            )
    return found


def _triggers(row: object, words: Words) -> list[str]:
    """Words of a detector's n-grams, the first few."""
    n, ids = int(row.trigger_length), list(row.triggers)
    return [words(ids[start : start + n]) for start in range(0, len(ids), n)][:_MOST_TRIGGERS]


def _sizes(lineage: pd.DataFrame) -> Mapping[str, int]:
    """Size of each stratum's top set."""
    if not len(lineage):
        return {}
    return {str(stratum): int(rows.n_top.iloc[0]) for stratum, rows in lineage.groupby("stratum", sort=False)}


def _rank() -> Mapping[str, object]:
    """Rank of the chosen neuron in every stratum; the script sets the horizontal axis and the colours."""
    y = alt.Y("rank:Q").title("rank, 1 the strongest").scale(type="log", reverse=True, nice=False).axis(format="~s")
    colour = alt.Color("stratum:N").title("tokens")
    tooltip = [alt.Tooltip("step:Q", format=","), alt.Tooltip("stratum:N"), alt.Tooltip("rank:Q", format=",")]
    tooltip.append(alt.Tooltip("influence:Q", format="+.3~e", title="influence (nats)"))
    base = alt.Chart(alt.Data(name="points")).encode(x=alt.X("x:Q"), color=colour)
    line = base.transform_filter("!datum.quarantined").mark_line(strokeWidth=1.5).encode(y=y)
    points = base.mark_point(size=45, opacity=1, cursor="pointer", strokeWidth=1.5).encode(
        y=y, tooltip=tooltip, fillOpacity=alt.condition("datum.member", alt.value(1), alt.value(0))
    )
    points = points.encode(fill=alt.Fill("stratum:N").title("tokens"), shape=CROSSED)
    size = alt.Chart(alt.Data(name="sets")).mark_rule(strokeDash=[5, 4]).encode(y=y, color=colour)
    chosen = base.transform_filter("datum._chosen").mark_rule(strokeDash=[2, 3]).encode(color=alt.value("#777"))
    return alt.layer(size, chosen, line, points).properties(width="container", height=220).to_dict()
