"""Rows of the influence of every layer's neurons, and of what their exact ablation says of the estimates."""

from dataclasses import dataclass
from typing import Annotated

from rare_neurons.columns import Column, Neuron, NTargets, Reason, Status, Stratum

_NATS = "nats per token"
_SQUARE = "nats squared"
Layer = Annotated[int, Column(None, "0-based")]


@dataclass(frozen=True)
class LayerInfluenceRow:
    """One neuron of one layer and stratum; numbers of a part whose audit failed are null."""

    layer: Layer
    neuron: Neuron
    stratum: Stratum
    n_targets: NTargets
    influence: Annotated[
        float | None,
        Column(
            _NATS,
            "mean change of the target's loss when the neuron is mean-ablated at all positions of its context, through "
            "all that follows; > 0: boosts",
        ),
    ]
    influence_error: Annotated[
        float | None,
        Column(
            _NATS,
            "standard error of the approximation: draws of signs, widened as they are few; 0 where ablated exactly",
        ),
    ]
    influence_low: Annotated[
        float | None, Column(_NATS, "lower end of the split-conformal interval for the panel's exact value")
    ]
    influence_high: Annotated[float | None, Column(_NATS, "its upper end")]
    influence_se: Annotated[
        float | None, Column(_NATS, "standard error of sampling: other documents and token types, to first order")
    ]
    influence_within: Annotated[float | None, Column(_NATS, "change of the loss within the target's stratum, likewise")]
    influence_within_error: Annotated[float | None, Column(_NATS, "as `influence_error`")]
    influence_within_low: Annotated[float | None, Column(_NATS, "as `influence_low`")]
    influence_within_high: Annotated[float | None, Column(_NATS, "as `influence_high`")]
    influence_within_se: Annotated[float | None, Column(_NATS, "as `influence_se`")]
    influence_first_order: Annotated[
        float | None, Column(_NATS, "gradient part of `influence`: no reaction of the loss")
    ]
    influence_within_first_order: Annotated[float | None, Column(_NATS, "gradient part of `influence_within`")]
    exact: Annotated[bool, Column(None, "whether the neuron was ablated, on the same contexts")]
    rms_influence: Annotated[
        float | None,
        Column(_NATS, "root mean square over targets of the first-order change of the loss; null without target draws"),
    ]
    status: Status
    reason: Reason


@dataclass(frozen=True)
class LayerAuditRow:
    """One layer, stratum and part of the loss: how good the estimates are, and what follows for the whole layer."""

    layer: Layer
    stratum: Stratum
    part: Annotated[str, Column(None, "`whole`: the target's loss; `within`: its loss within its own stratum")]
    n_audited: Annotated[int, Column("neurons", "ablated exactly: the strongest, and others drawn at random")]
    shrink_multiples: Annotated[
        list[float] | None,
        Column(
            None,
            "what second orders are shrunk towards: multiples of the squared gradients of drawn labels' losses within "
            "the stratum, and of the targets' own, whole and within",
        ),
    ]
    shrink_signs: Annotated[
        float | None, Column(None, "part of the sign draws' deviation from it that is kept, 0 to 1")
    ]
    conformal_factor: Annotated[float | None, Column(None, "half-width of the intervals in units of the error")]
    error_share: Annotated[
        float | None,
        Column(None, "root mean square error of the random audited neurons, in that of all neurons' influence"),
    ]
    error_over_se_p90: Annotated[
        float | None, Column(None, "90th percentile over neurons of the error in units of the sampling error")
    ]
    third_order_share: Annotated[
        float | None,
        Column(
            None,
            "root mean square of what neither first nor second order has, of the audited neurons, in that of their "
            "exact influence; sign noise taken off; 0 where no more than that is left",
        ),
    ]
    total_influence: Annotated[float | None, Column(_NATS, "sum over the layer's neurons, without bias")]
    total_low: Annotated[float | None, Column(_NATS, "lower end of its interval, for neurons not ablated")]
    total_high: Annotated[float | None, Column(_NATS, "its upper end")]
    se_type_factor: Annotated[
        float | None, Column(None, "sampling error by documents and types in units of that by documents alone")
    ]
    mean_influence: Annotated[
        float | None, Column(_NATS, "mean over the layer's neurons, audited ones exact, others before shrinking")
    ]
    mean_influence_leave_outs: Annotated[
        list[float] | None, Column(_NATS, "list over document folds: `mean_influence` without the fold")
    ]
    mean_square: Annotated[
        float | None,
        Column(
            _SQUARE,
            "mean over neurons of the squared influence, from products of parts of the panel that share neither "
            "documents nor token types: no noise of either is counted",
        ),
    ]
    mean_square_se: Annotated[float | None, Column(_SQUARE, "its standard error over documents")]
    mean_square_leave_outs: Annotated[
        list[float] | None, Column(_SQUARE, "list over document folds: `mean_square` without the fold")
    ]
    status: Status
    reason: Reason
