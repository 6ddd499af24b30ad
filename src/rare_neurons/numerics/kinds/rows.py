"""Rows of the tables about single neurons: what final-layer ones do to the readout, and examples of top ones."""

from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Neuron, NTargets, Sign, Stratum

_NATS = "nats per token"
_CANDIDATE = "null unless it was a candidate"


@dataclass(frozen=True)
class ReadoutRow:
    """One final-layer neuron and stratum."""

    neuron: Neuron
    stratum: Stratum
    n_targets: NTargets
    w_out_norm: Annotated[float, Column(None, "|w_out|, centred where the final norm centres")]
    logit_variance: Annotated[
        float, Column(None, "d_model times the variance over the vocabulary of cos(w_out, W_U): about 1 by chance")
    ]
    null_share: Annotated[
        float, Column(None, "share of |w_out| in the directions that W_U reads least; compare maxima with maxima")
    ]
    null_chance: Annotated[float, Column(None, "`null_share` of a random direction")]
    frequency_influence: Annotated[
        float, Column(_NATS, "influence of the change of the logits along the log-unigram direction alone")
    ]
    frequency_frozen_influence: Annotated[
        float | None, Column(_NATS, f"influence of the rest, that direction frozen; {_CANDIDATE}")
    ]
    entropy_change: Annotated[
        float | None, Column("nats", f"mean change of the entropy when the neuron is mean-ablated; {_CANDIDATE}")
    ]
    abs_entropy_change: Annotated[float | None, Column("nats", "mean of the absolute changes of the same")]


@dataclass(frozen=True)
class ExampleRow:
    """One of the targets on which a top neuron acts most."""

    stratum: Stratum
    sign: Sign
    neuron: Neuron
    rank: Annotated[int, Column("rank", "1: the largest |effect| of the neuron")]
    context: Annotated[int, Column(None, "index of the context in the panel")]
    position: Annotated[int, Column(None, "position of the target's input token in it")]
    target_id: Annotated[int, Column(None, "token id of the target")]
    effect: Annotated[float, Column("nats", "change of the target's loss when the neuron is mean-ablated")]
    activation: Annotated[float, Column(None, "the neuron's activation there")]
    before: Annotated[list[int], Column(None, "list of token ids up to the input token, in order", "int32")]
    after: Annotated[list[int], Column(None, "list of token ids after the target, in order", "int32")]
