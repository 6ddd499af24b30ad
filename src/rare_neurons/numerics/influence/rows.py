"""Rows of what one forward pass gives: the tables that every metric of a checkpoint starts from."""

from dataclasses import dataclass, fields
from typing import Annotated

from rare_neurons.columns import Column, Fold, Neuron, NTargets, OfStratum, Stratum, TypeBin

_NATS = "nats per token"
_SQUARE = "two-way standard error of the mean square"


@dataclass(frozen=True)
class InfluenceRow:
    """One neuron and stratum."""

    neuron: Neuron
    stratum: Stratum
    n_targets: NTargets
    n_types: Annotated[int, Column("types", "distinct target tokens among them")]
    influence: Annotated[
        float, Column(_NATS, "mean change of the target's loss when the neuron is mean-ablated; > 0: boosts")
    ]
    influence_se: Annotated[
        float, Column(_NATS, "standard error of `influence`, two-way by document and by target type")
    ]
    influence_a: Annotated[
        float, Column(_NATS, "`influence` in part A of the grid (document folds 0 to 5, type bins 0 to 5)")
    ]
    influence_b: Annotated[
        float,
        Column(
            _NATS,
            "`influence` in part B (folds 6 to 11, bins 6 to 11), which shares neither documents nor types with A",
        ),
    ]
    abs_influence: Annotated[float, Column(_NATS, "mean of the absolute changes")]
    direct_influence: Annotated[float, Column(_NATS, "`influence` with the final norm's scale frozen")]
    abs_direct_influence: Annotated[float, Column(_NATS, "`abs_influence` with the final norm's scale frozen")]
    influence_within: Annotated[
        float, Column(_NATS, "part of `influence` that moves probability within the target's stratum")
    ]
    influence_within_se: Annotated[float, Column(_NATS, "standard error of `influence_within`, as `influence_se`")]
    influence_within_a: Annotated[float, Column(_NATS, "`influence_within` in part A of the grid")]
    influence_within_b: Annotated[float, Column(_NATS, "`influence_within` in part B of the grid")]
    influence_expected: Annotated[
        float | None, Column(_NATS, "`influence` if targets were drawn from the model itself")
    ]
    truncation_bound: Annotated[float, Column(_NATS, "certified bound of the truncation error of `influence`")]
    rounding_bound: Annotated[float, Column(_NATS, "bound of its rounding error, in the model named in the metadata")]
    exact_fraction: Annotated[float, Column("share", "(target, neuron) pairs evaluated exactly")]


PER_NEURON = tuple(
    field.name for field in fields(InfluenceRow) if field.name not in ("neuron", "stratum", "n_targets", "n_types")
)
"""Quantities that a pass gives for every neuron and stratum."""


@dataclass(frozen=True)
class OfCell:
    """First columns of rows that are about a cell of the grid."""

    stratum: Stratum
    fold: Fold
    type_bin: TypeBin


@dataclass(frozen=True)
class CellRow(OfCell):
    """Sums of one stratum and cell."""

    n_targets: NTargets
    influence_sum: Annotated[
        list[float], Column("nats", "list over neurons: sum of the targets' changes of loss in the cell", "float32")
    ]
    within_sum: Annotated[
        list[float], Column("nats", "list over neurons: the same of the within-stratum part", "float32")
    ]


@dataclass(frozen=True)
class MomentRow:
    """Moments over neurons of one stratum and cell, of the network or of a placebo; from float64 cell sums."""

    stratum: Stratum
    draw: Annotated[
        int, Column(None, "0: the network; from 1 on placebos, rows of W_out permuted within tenths of their norms")
    ]
    fold: Fold
    type_bin: TypeBin
    n_targets: NTargets
    influence_sum_mean: Annotated[
        float | None, Column("nats", "mean over neurons of `influence_sum` of the cell; null for placebos")
    ]
    influence_pairs: Annotated[
        float | None,
        Column("nats²", "mean over neurons of `influence_sum` times that of all cells of other folds and bins"),
    ]
    within_sum_mean: Annotated[float, Column("nats", "mean over neurons of `within_sum` of the cell")]
    within_pairs: Annotated[
        float, Column("nats²", "mean over neurons of `within_sum` times that of all cells of other folds and bins")
    ]


@dataclass(frozen=True)
class Behaviour:
    """What the unablated model does, mean over targets. A quantity added here must have a recorder of its name."""

    n_targets: NTargets
    loss: Annotated[float, Column(_NATS, "mean cross-entropy of the target", dated=True)]
    loss_within: Annotated[
        float,
        Column(_NATS, "mean cross-entropy within the target's own stratum: -log p(target | stratum)", dated=True),
    ]
    entropy: Annotated[float, Column("nats", "mean entropy of the model's distribution", dated=True)]
    kl_model_to_unigram: Annotated[float, Column("nats", "KL(model, unigram), mean over targets", dated=True)]
    kl_unigram_to_model: Annotated[float, Column("nats", "KL(unigram, model), mean over targets", dated=True)]


PER_TARGET = tuple(field.name for field in fields(Behaviour) if field.name != "n_targets")
"""Quantities of the unablated model that a pass records for every target."""


@dataclass(frozen=True)
class BehaviourRow(Behaviour, OfCell):
    """One stratum and cell of the grid."""


@dataclass(frozen=True)
class BehaviourSummaryRow(Behaviour, OfStratum):
    """One stratum, all cells."""


@dataclass(frozen=True)
class ActivationRow:
    """One neuron's activation over eligible natural positions."""

    neuron: Neuron
    activation_mean: Annotated[
        float,
        Column(None, "mean activation over eligible natural positions: the value a mean-ablated neuron takes"),
    ]
    activation_variance: Annotated[float, Column(None, "variance of the activation over the same positions")]


@dataclass(frozen=True)
class GradientRow:
    """Mean gradient of one stratum's loss."""

    stratum: Stratum
    gradient: Annotated[
        list[float],
        Column("nats", "list over d_model: mean gradient of the loss with respect to the final residual stream"),
    ]


@dataclass(frozen=True)
class MomentSummary:
    """Moments of one stratum; of `rms_*` the signed root of the noise-free mean square."""

    mean_influence: Annotated[float, Column(_NATS, "mean over neurons of the signed influence", dated=True)]
    mean_influence_se: Annotated[float, Column(_NATS, "its standard error over documents and token types")]
    mean_influence_within: Annotated[float, Column(_NATS, "the same of the within-stratum part", dated=True)]
    mean_influence_within_se: Annotated[float, Column(_NATS, "its standard error")]
    rms_influence: Annotated[
        float, Column(_NATS, "root mean square over neurons without noise; below zero where noise wins", dated=True)
    ]
    square_influence_se: Annotated[float, Column("nats squared", _SQUARE)]
    rms_influence_within: Annotated[float, Column(_NATS, "the same of the within-stratum part", dated=True)]
    square_influence_within_se: Annotated[float, Column("nats squared", _SQUARE)]


@dataclass(frozen=True)
class MomentSummaryRow(MomentSummary, OfStratum):
    """One stratum of one checkpoint."""
