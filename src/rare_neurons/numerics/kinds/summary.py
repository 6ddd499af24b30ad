"""How many neurons of each layer are of which kind, as the timeline shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Layer

KINDS = ("dead", "token_detector", "bigram_detector", "trigram_detector", "undecided", "other")
"""In the order of `take_census`; every layer has a row for each."""

FLAGS = ("silent", "positional", "suppressor")


@dataclass(frozen=True)
class KindSummaryRow:
    """All neurons of one kind of a layer."""

    layer: Layer
    kind: Annotated[str, Column(None, "as in `kinds`")]
    counted: Annotated[bool, Column(None, "whether the layer counts: not where its MLP sees the current token alone")]
    n_neurons: Annotated[int, Column("neurons", "of this kind")]
    share: Annotated[float, Column("share", "of the layer's neurons that are of this kind")]
    n_silent: Annotated[int, Column("neurons", "of them `silent`")]
    n_positional: Annotated[int, Column("neurons", "of them `positional`")]
    n_suppressor: Annotated[int, Column("neurons", "of them `suppressor`")]


def summarise_kinds(rows: Iterable[Mapping[str, object]]) -> list[KindSummaryRow]:
    """Count neurons by layer and kind; zeros have their row.

    Examples
    --------
    >>> row = {"layer": 0, "kind": "dead", "counted": True, "silent": True, "positional": False, "suppressor": False}
    >>> found = summarise_kinds([row, {**row, "kind": "other", "silent": False}])
    >>> [(one.kind, one.n_neurons, one.share, one.n_silent) for one in found if one.n_neurons]
    [('dead', 1, 0.5, 1), ('other', 1, 0.5, 0)]
    """
    layers: dict[object, list[Mapping[str, object]]] = {}
    for row in rows:
        layers.setdefault(row["layer"], []).append(row)
    found = []
    for layer, own in layers.items():
        for kind in KINDS:
            of_kind = [row for row in own if row["kind"] == kind]
            flags = {f"n_{flag}": sum(bool(row[flag]) for row in of_kind) for flag in FLAGS}
            counted, n = bool(own[0]["counted"]), len(of_kind)
            found.append(KindSummaryRow(layer, kind, counted, n, n / len(own), **flags))
    return found
