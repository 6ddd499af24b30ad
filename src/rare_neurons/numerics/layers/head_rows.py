"""Rows of exact ablations of heads and whole sublayers."""

from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, NTargets, Reason, Status, Stratum

_NATS = "nats per token"


@dataclass(frozen=True)
class HeadRow:
    """One attention head or whole sublayer, and stratum."""

    layer: Annotated[int, Column(None, "0-based")]
    component: Annotated[
        str,
        Column(
            None,
            "`head`: what it writes replaced by its mean at all positions; `attention`, `mlp`: all heads or neurons of "
            "the layer at once",
        ),
    ]
    head: Annotated[int | None, Column(None, "index of the head; null for whole sublayers")]
    stratum: Stratum
    n_targets: NTargets
    influence: Annotated[
        float | None, Column(_NATS, "mean change of the target's loss when the component is mean-ablated; > 0: boosts")
    ]
    influence_se: Annotated[
        float | None, Column(_NATS, "standard error of `influence`, two-way by document and by target type")
    ]
    influence_within: Annotated[
        float | None, Column(_NATS, "part of `influence` that moves probability within the target's stratum")
    ]
    influence_within_se: Annotated[float | None, Column(_NATS, "standard error of `influence_within`, likewise")]
    status: Status
    reason: Reason
