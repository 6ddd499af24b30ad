"""Integrity of a run's checkpoints, judged from fingerprints and canary losses, without the weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import numpy as np

from rare_neurons.columns import Column, Reason, Status, Step
from rare_neurons.numerics.integrity.fingerprint import pairwise_distances
from rare_neurons.numerics.integrity.limits import DEFAULT_LIMITS, IntegrityLimits
from rare_neurons.numerics.integrity.rules import CheckpointRules


@dataclass(frozen=True)
class CheckpointVerdict:
    """Whether a checkpoint is what its step says.

    Attributes
    ----------
    step : int
        Optimizer updates.
    status : str
        ``"ok"``; ``"unchanged"`` (equal to an adjacent step, kept); or, quarantined: ``"non_finite"``,
        ``"equal_to_final"``, ``"duplicate"`` (of a step that is not adjacent), ``"partial_duplicate"`` (some
        tensors), ``"foreign_start"`` (the later steps do not descend from it), ``"detour"``, ``"out_of_order"``
        (distance to the start), ``"loss_outlier"`` (canary loss).
    reason : str or None
        One sentence, None for ``"ok"``.
    quarantined : bool
        Whether averages must leave the checkpoint out.
    distance_to_start, distance_to_previous : float or None
        Estimated Euclidean distances over all tensors to the first and to the previous finite checkpoint.
    detour, start_z, canary_z : float or None
        The statistics judged; None where not defined (ends of the run, too few checkpoints, no losses).
    """

    step: Step
    status: Status
    reason: Reason
    quarantined: Annotated[bool, Column(None, "whether averages leave the checkpoint out")]
    distance_to_start: Annotated[
        float | None, Column("weight", "estimated Euclidean distance of all weights to the first checkpoint")
    ]
    distance_to_previous: Annotated[float | None, Column("weight", "the same to the previous checkpoint")]
    detour: Annotated[float | None, Column("ratio", "path through the checkpoint over the distance of its neighbours")]
    start_z: Annotated[float | None, Column("robust sd", "deviation of `distance_to_start` from its trend")]
    canary_z: Annotated[float | None, Column("robust sd", "deviation of `canary_loss` from its trend")]


@dataclass(frozen=True)
class IntegrityRow(CheckpointVerdict):
    """A verdict with what else identifies the checkpoint."""

    canary_loss: Annotated[float | None, Column("nats per token", "mean over strata of the loss at the first panel")]
    commit: Annotated[str | None, Column(None, "git commit of the weights, where they come from the Hub")]
    weights_sha256: Annotated[str | None, Column(None, "digest of all weight files")]


def judge_checkpoints(
    steps: Sequence[int],
    projections: np.ndarray,
    *,
    digests: Sequence[Sequence[str]],
    tensor_sizes: Sequence[int],
    canary_loss: Sequence[float | None] | None = None,
    limits: IntegrityLimits = DEFAULT_LIMITS,
) -> tuple[CheckpointVerdict, ...]:
    """Judge all checkpoints of one run together (docs/methods/integrity.md).

    In this order, each rule on what the former ones left: entries that are not finite; equal weights
    (`find_repeats`); equal tensors holding at least `min_borrowed` of the entries; a first checkpoint far from all
    others; detours above `max_detour` of one checkpoint, or of runs of up to four and an eighth of all
    (`find_detours`); distances to the start that do not rise and canary losses that do not fall (`order_z`).

    Parameters
    ----------
    steps : sequence of int, length n
        Strictly ascending.
    projections : ndarray, shape (n, n_tensors, n_projections)
        From `fingerprint_tensor`; NaN where a tensor is not finite.
    digests : sequence of sequences of str, shape (n, n_tensors)
        Digests of the tensors.
    tensor_sizes : sequence of int, length n_tensors
        Entries per tensor.
    canary_loss : sequence of float or None, length n, optional
        Loss in nats; None or NaN where unknown.
    limits : IntegrityLimits

    Raises
    ------
    ValueError
        If the lengths do not fit or the steps do not ascend.
    """
    steps = [int(step) for step in steps]
    projections = np.asarray(projections, dtype=np.float64)
    _check_shapes(steps, projections, digests, tensor_sizes, canary_loss)
    losses = [None if loss is None else float(loss) for loss in (canary_loss or [None] * len(steps))]
    log_loss = np.array([np.log(loss) if loss and loss > 0 else np.nan for loss in losses])
    rules = CheckpointRules(
        steps, distances=pairwise_distances(projections), projections=projections, log_loss=log_loss
    )
    rules.judge_finite()
    rules.judge_equal(digests, limits.max_unchanged)
    rules.judge_partly_equal(digests, np.asarray(tensor_sizes), limits.min_borrowed)
    rules.judge_start(limits.max_start_jump)
    rules.judge_detours(limits.max_detour)
    rules.judge_order(max_start_z=limits.max_start_z, max_canary_z=limits.max_canary_z)
    return tuple(_verdict(rules, index) for index in range(len(steps)))


def _check_shapes(
    steps: Sequence[int],
    projections: np.ndarray,
    digests: Sequence[Sequence[str]],
    tensor_sizes: Sequence[int],
    canary_loss: Sequence[float | None] | None,
) -> None:
    n, n_tensors = len(steps), len(tensor_sizes)
    if projections.ndim != 3 or projections.shape[:2] != (n, n_tensors):
        raise ValueError(f"projections have shape {projections.shape}, but there are {n} steps and {n_tensors} tensors")
    if len(digests) != n or any(len(row) != n_tensors for row in digests):
        raise ValueError(f"digests must be {n} rows of {n_tensors} tensors")
    if canary_loss is not None and len(canary_loss) != n:
        raise ValueError(f"{len(canary_loss)} canary losses for {n} steps")
    if any(b <= a for a, b in pairwise(steps)):
        raise ValueError(f"steps must ascend without repeats: {steps}")


def _verdict(rules: CheckpointRules, index: int) -> CheckpointVerdict:
    status, reason = rules.status.get(index, ("ok", None))
    before = [i for i in rules.finite if i < index]
    here = index in rules.finite
    return CheckpointVerdict(
        step=rules.steps[index],
        status=status,
        reason=reason,
        quarantined=index in rules.quarantined,
        distance_to_start=float(rules.distances[rules.finite[0], index]) if here else None,
        distance_to_previous=float(rules.distances[before[-1], index]) if here and before else None,
        detour=_known(rules.detour[index]),
        start_z=_known(rules.start_z[index]),
        canary_z=_known(rules.canary_z[index]),
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
