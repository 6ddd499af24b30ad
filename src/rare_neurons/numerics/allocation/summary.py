"""The account of a loss change by kind of weights and layer, as its timeline shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Layer, Stratum

_KEYS = ("layer", "kind", "token_stratum", "stratum")


@dataclass(frozen=True)
class AllocationSummaryRow:
    """All units of one kind of a layer."""

    layer: Layer
    kind: Annotated[str, Column(None, "as in `allocation`")]
    token_stratum: Annotated[str | None, Column(None, "stratum of the tokens of the embedding's or unembedding's rows")]
    stratum: Stratum
    n_units: Annotated[int, Column("units", "neurons, heads or other units")]
    allocation: Annotated[
        float, Column("nats per token", "part of the change of the loss that their weights brought; < 0: improved it")
    ]
    allocation_within: Annotated[float, Column("nats per token", "the same of the loss within the target's stratum")]


def summarise_allocation(rows: Iterable[Mapping[str, object]]) -> list[AllocationSummaryRow]:
    """Sum units by layer, kind and strata, in the order of their first appearance.

    Examples
    --------
    >>> row = {"layer": 0, "kind": "neuron", "token_stratum": None, "stratum": "rare"}
    >>> (found,) = summarise_allocation([{**row, "allocation": 0.5, "allocation_within": -1.0}] * 2)
    >>> (found.n_units, found.allocation, found.allocation_within)
    (2, 1.0, -2.0)
    """
    sums: dict[tuple, list] = {}
    for row in rows:
        total = sums.setdefault(tuple(row[key] for key in _KEYS), [0, 0.0, 0.0])
        total[0] += 1
        total[1] += row["allocation"]
        total[2] += row["allocation_within"]
    return [AllocationSummaryRow(*key, *total) for key, total in sums.items()]
