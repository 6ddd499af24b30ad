"""What ablating a set does beyond what its neurons do one by one, beside matched sets on the same targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from rare_neurons.columns import Column, NTargets, Reason, Sign, Stratum
from rare_neurons.numerics.organisation.comparison import QUANTILES, share_as_far
from rare_neurons.numerics.organisation.matching import MatchedSets

MIN_SETS = 99
_NATS = "nats per token"


@dataclass(frozen=True, slots=True)
class Interaction:
    """Joint ablation of a set.

    Attributes
    ----------
    n_set, n_targets : int
    joint_influence, sum_influence, interaction : float
        The first is that of the set, the second the sum of its neurons', the third their difference.
    null_low, null_median, null_high, p_value, shared : float or None
        Of the interaction over the matched sets; None where none were ablated.
    placebo_interaction, claim_p : float or None
        None where the placebo was not ablated.
    n_permutations : int
    status, reason : str, str or None
    """

    n_set: Annotated[int, Column("neurons", "size of the set")]
    n_targets: NTargets
    joint_influence: Annotated[float, Column(_NATS, "mean change of the loss when all of the set are ablated together")]
    sum_influence: Annotated[float, Column(_NATS, "sum of their influences on the same targets")]
    interaction: Annotated[float, Column(_NATS, "`joint_influence` minus `sum_influence`")]
    joint_influence_within: Annotated[float, Column(_NATS, "`joint_influence`, its part within the stratum")]
    null_low: Annotated[float | None, Column(_NATS, "5 % of `interaction` over matched sets, at the set's covariates")]
    null_median: Annotated[float | None, Column(_NATS, "50 % of the same")]
    null_high: Annotated[float | None, Column(_NATS, "95 % of the same")]
    p_value: Annotated[float | None, Column(None, "two-sided share of matched sets as far out")]
    placebo_interaction: Annotated[
        float | None, Column(_NATS, "`interaction` of the placebo, the neurons of largest |w_out|·sd(activation)")
    ]
    claim_p: Annotated[
        float | None, Column(None, "`p_value` where the set is further out than the placebo, else 1; null unless `ok`")
    ]
    shared: Annotated[float | None, Column(None, "mean share of the set in a matched set; no claim beyond 0.75")]
    n_permutations: Annotated[int, Column("sets", "matched sets that were ablated")]
    status: Annotated[str, Column(None, "`ok`, `not_identifiable`, or `robustness`: another ablation, without a null")]
    reason: Reason


@dataclass(frozen=True)
class OfAblation:
    """First columns of rows that are about a set's ablation."""

    stratum: Stratum
    sign: Sign
    ablation: Annotated[str, Column(None, "`mean`, `zero`, `resample` or `norm_matched` (mean, final scale kept)")]


@dataclass(frozen=True)
class SetRow(Interaction, OfAblation):
    """One set of one checkpoint, ablated together."""


def measure_interaction(
    joint: NDArray[np.float64],
    single: NDArray[np.float64],
    matched: MatchedSets,
    *,
    joint_within: float,
    n_targets: int,
    placebo: float | None = None,
) -> Interaction:
    """Compare a set's interaction with those of its matched sets.

    Parameters
    ----------
    joint : ndarray, shape (1 + draw,) or (1,)
        Change of the loss when the set, then each of the first matched sets, is ablated.
    single : ndarray, shape (neuron,)
        Change when one neuron is, on the same targets with the same ablation; NaN for neurons that are in no set.
    matched : MatchedSets
    joint_within : float
        Change of the loss within the stratum when the set is ablated.
    n_targets : int
    placebo : float, optional
        Interaction of the placebo on the same targets.

    Returns
    -------
    Interaction

    Raises
    ------
    ValueError
        If there are matched sets, but fewer than 99, or a neuron of a set has no single effect.

    Notes
    -----
    "Above zero" is no evidence: sets of strong neurons interact whatever they are chosen by.
    """
    draws = len(joint) - 1
    if 0 < draws < MIN_SETS or draws > len(matched.sets):
        raise ValueError(f"{draws} matched sets were ablated of {len(matched.sets)}; use none or {MIN_SETS} and more")
    sets = np.concatenate([matched.chosen[None], matched.sets[:draws]])
    sums = single[sets].sum(axis=1)
    if not np.isfinite(sums).all():
        raise ValueError(f"{int((~np.isfinite(sums)).sum())} of {len(sums)} sets hold a neuron without single effect")
    beyond = joint - sums
    found: dict[str, float | None] = dict.fromkeys(
        ("null_low", "null_median", "null_high", "p_value", "placebo_interaction", "claim_p")
    )
    status, reason = "robustness", "only the set was ablated: compare with the declared ablation"
    if draws:
        used = MatchedSets(matched.chosen, matched.sets[:draws], matched.balance[: draws + 1], matched.shared)
        adjusted = used.adjusted(beyond)
        quantiles = (float(q) for q in np.quantile(adjusted, QUANTILES))
        found |= dict(zip(("null_low", "null_median", "null_high"), quantiles, strict=True))
        found["p_value"] = share_as_far(adjusted, float(beyond[0]), "two-sided")
        reason = matched.reason
        status = "not_identifiable" if reason else "ok"
        if placebo is not None:
            found["placebo_interaction"] = placebo
            further = _is_further(float(beyond[0]), float(np.median(adjusted)), placebo)
            found["claim_p"] = (found["p_value"] if further else 1.0) if status == "ok" else None
    return Interaction(
        n_set=len(matched.chosen),
        n_targets=n_targets,
        joint_influence=float(joint[0]),
        sum_influence=float(sums[0]),
        interaction=float(beyond[0]),
        joint_influence_within=joint_within,
        **found,
        shared=matched.shared if draws else None,
        n_permutations=draws,
        status=status,
        reason=reason,
    )


def _is_further(value: float, median: float, placebo: float) -> bool:
    """Whether a value lies beyond the placebo's on the side of the median that it is on."""
    return value > placebo if value > median else value < placebo
