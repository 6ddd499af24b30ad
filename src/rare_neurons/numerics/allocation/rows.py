"""Rows of the account of a loss change between two checkpoints."""

from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Layer, NTargets, Reason, Stratum

_NATS = "nats per token"
_COVERS = "documents and token types; neither the quadrature nor training again"

Part = Annotated[str, Column(None, "`whole`: the target's loss; `within`: its loss within its own stratum")]


@dataclass(frozen=True)
class AllocationRow:
    """One unit of weights and stratum."""

    layer: Layer
    kind: Annotated[
        str,
        Column(
            None,
            "`neuron` (its rows of W_in and W_gate, bias, row of W_out), `head` (its slices of W_Q, W_K, W_V, W_O and "
            "biases; slices that heads share are split evenly), `embedding` (also the unembedding, where tied), "
            "`unembedding`, `norm` (all of a layer), `other` (all else of a layer: output biases, positions)",
        ),
    ]
    unit: Annotated[int | None, Column(None, "index of the neuron or head; null for the other kinds")]
    token_stratum: Annotated[
        str | None,
        Column(None, "stratum of the tokens of the embedding's or unembedding's rows; null for those without one"),
    ]
    stratum: Stratum
    allocation: Annotated[
        float, Column(_NATS, "part of the change of the mean loss that the unit's weights brought; < 0: improved it")
    ]
    allocation_se: Annotated[float, Column(_NATS, f"standard error of `allocation` over {_COVERS}")]
    allocation_within: Annotated[float, Column(_NATS, "the same of the loss within the target's stratum")]
    allocation_within_se: Annotated[float, Column(_NATS, "standard error of `allocation_within`, likewise")]


@dataclass(frozen=True)
class AllocationChangeRow:
    """One stratum and part: the change itself, and how much of it the units account for."""

    stratum: Stratum
    part: Part
    n_targets: NTargets
    loss_before: Annotated[float, Column(_NATS, "mean loss of the earlier checkpoint, from a plain forward pass")]
    loss_after: Annotated[float, Column(_NATS, "mean loss of the later checkpoint, likewise")]
    loss_change: Annotated[float, Column(_NATS, "`loss_after` minus `loss_before`")]
    allocated: Annotated[float, Column(_NATS, "sum of the units' allocations")]
    remainder: Annotated[float, Column(_NATS, "`loss_change` minus `allocated`")]
    se_type_factor: Annotated[
        float, Column(None, "two-way standard error over that by documents alone, pooled over neurons and heads")
    ]
    path_correlation: Annotated[
        float | None,
        Column(
            None,
            "correlation over neurons of the allocations along one line and along two by way of a checkpoint between; "
            "null without one, or where a side does not vary",
        ),
    ]
    n_nodes: Annotated[int, Column("nodes", "points of the line at which gradients were taken")]
    n_intervals: Annotated[int, Column("intervals", "parts of the line, each with Boole's rule")]
    status: Annotated[str, Column(None, "`ok`, or `remainder` where too much of a change beyond 0.1 nats is left over")]
    reason: Reason
