"""One row per stratum of what the influence of all neurons amounts to."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from rare_neurons.columns import Column, OfStratum


@dataclass(frozen=True)
class InfluenceSummary:
    """Influence of a layer's neurons on one stratum.

    Attributes
    ----------
    n_neurons : int
    mean_influence, mean_abs_influence : float
        Means over neurons of the influence and of its absolute per-token version, nats.
    rms_influence, rms_influence_corrected : float or None
        Root mean square over neurons; the second without the part that standard errors explain, None where they
        explain all of it.
    rms_influence_within : float
        The same of the within-stratum part.
    n_boost, n_suppress : int
        Neurons whose influence exceeds three standard errors, by sign.
    n_sign_uncertain : int
        Neurons whose influence is smaller than its numerical bound.
    top_neuron : int
    top_influence : float
        The neuron with the largest absolute influence, and its influence.
    largest_bound : float
        Largest truncation plus rounding bound of a neuron, nats.
    exact_fraction : float
        Share of (target, neuron) pairs evaluated exactly.
    """

    n_neurons: Annotated[int, Column("neurons", "neurons in the row")]
    mean_influence: Annotated[float, Column("nats per token", "mean over neurons")]
    mean_abs_influence: Annotated[float, Column("nats per token", "mean over neurons of `abs_influence`")]
    rms_influence: Annotated[float, Column("nats per token", "root mean square over neurons")]
    rms_influence_corrected: Annotated[
        float | None,
        Column("nats per token", "without the part that standard errors explain; null if all of it"),
    ]
    rms_influence_within: Annotated[float, Column("nats per token", "root mean square of `influence_within`")]
    n_boost: Annotated[int, Column("neurons", "influence above three standard errors")]
    n_suppress: Annotated[int, Column("neurons", "influence below minus three standard errors")]
    n_sign_uncertain: Annotated[int, Column("neurons", "|influence| below its numerical bound")]
    top_neuron: Annotated[int, Column(None, "neuron with the largest |influence|")]
    top_influence: Annotated[float, Column("nats per token", "its influence")]
    largest_bound: Annotated[float, Column("nats per token", "largest truncation plus rounding bound")]
    exact_fraction: Annotated[float, Column("share", "(target, neuron) pairs evaluated exactly")]


@dataclass(frozen=True)
class InfluenceSummaryRow(InfluenceSummary, OfStratum):
    """One stratum of one checkpoint."""


def summarise_influence(
    *,
    influence: np.ndarray,
    influence_se: np.ndarray,
    abs_influence: np.ndarray,
    influence_within: np.ndarray,
    bound: np.ndarray,
    exact_fraction: np.ndarray,
) -> InfluenceSummary:
    """Summarise the influence of one stratum; all arguments have the shape (neuron,)."""
    z = influence / np.where(influence_se > 0, influence_se, np.inf)
    excess = float(np.mean(influence**2 - influence_se**2))
    top = int(np.argmax(np.abs(influence)))
    return InfluenceSummary(
        n_neurons=influence.size,
        mean_influence=float(influence.mean()),
        mean_abs_influence=float(abs_influence.mean()),
        rms_influence=float(np.sqrt(np.mean(influence**2))),
        rms_influence_corrected=float(np.sqrt(excess)) if excess > 0 else None,
        rms_influence_within=float(np.sqrt(np.mean(influence_within**2))),
        n_boost=int((z > 3).sum()),
        n_suppress=int((z < -3).sum()),
        n_sign_uncertain=int((np.abs(influence) < bound).sum()),
        top_neuron=top,
        top_influence=float(influence[top]),
        largest_bound=float(bound.max()),
        exact_fraction=float(exact_fraction.mean()),
    )
