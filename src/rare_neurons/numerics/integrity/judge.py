"""Integrity of a run's checkpoints, judged from fingerprints and canary losses, without the weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import numpy as np

from rare_neurons.columns import Column, Reason, Status, Step
from rare_neurons.numerics.integrity.fingerprint import pairwise_distances
from rare_neurons.numerics.integrity.limits import DEFAULT_LIMITS, IntegrityLimits
from rare_neurons.numerics.integrity.tensor_rules import TensorRules
from rare_neurons.numerics.integrity.tensors import Tensors


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
        tensors), ``"foreign_start"`` (the later steps do not descend from it), ``"interpolated"`` (a mean of its
        neighbours), ``"detour"``, ``"foreign_end"`` (the last step does not descend from the run), ``"odd_tensors"``
        (single tensors off the path), ``"out_of_order"`` (distance to the start), ``"loss_outlier"`` (canary loss).
        ``"above_unigram"`` (kept): the last step's canary loss is above that of the unigram distribution.
    reason : str or None
        One sentence, None for ``"ok"``.
    quarantined : bool
        Whether averages must leave the checkpoint out.
    distance_to_start, distance_to_previous : float or None
        Estimated Euclidean distances over all tensors to the first and to the previous finite checkpoint.
    detour, chord, tensor_excess, end_distance, start_z, canary_z : float or None
        The statistics judged; None where not defined (ends of the run, too few checkpoints, no losses).
    odd_tensor : str or None
        Tensor that `tensor_excess` is about.
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
    chord: Annotated[
        float | None,
        Column("ratio", "distance from the straight line between its neighbours, 0.5 on a random walk; 0: their mean"),
    ]
    tensor_excess: Annotated[
        float | None, Column("limits", "how far the oddest tensor lies off its path, in units of its limit")
    ]
    odd_tensor: Annotated[str | None, Column(None, "that tensor")]
    end_distance: Annotated[
        float | None,
        Column("ratio", "of the last checkpoint: distance to the one before over that to the first, median matrix"),
    ]
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
    norms: np.ndarray,
    tensors: Tensors,
    canary_loss: Sequence[float | None] | None = None,
    limits: IntegrityLimits = DEFAULT_LIMITS,
) -> tuple[CheckpointVerdict, ...]:
    """Judge all checkpoints of one run together (docs/methods/integrity.md).

    In this order, each rule on what the former ones left: entries that are not finite; equal weights
    (`find_repeats`); equal tensors holding at least `min_borrowed` of the entries; a first checkpoint far from all
    others; means of the neighbours (`chord_offsets`); detours above `max_detour` of one checkpoint, or of runs of up to
    four and an eighth of all (`find_detours`); a last checkpoint of another run (`end_distance`); single tensors off
    their path (`tensor_excess`); distances to the start that do not rise and canary losses that do not fall
    (`order_z`).

    Parameters
    ----------
    steps : sequence of int, length n
        Strictly ascending.
    projections : ndarray, shape (n, n_tensors, n_projections)
        From `fingerprint_tensor`; NaN where a tensor is not finite.
    digests : sequence of sequences of str, shape (n, n_tensors)
        Digests of the tensors.
    norms : ndarray, shape (n, n_tensors)
        Euclidean norms; NaN where a tensor is not finite.
    tensors : sequence of (str, tuple of int), length n_tensors
        Name and shape of each tensor.
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
    norms = np.asarray(norms, dtype=np.float64)
    _check_shapes(steps, projections, digests, norms, tensors)
    if canary_loss is not None and len(canary_loss) != len(steps):
        raise ValueError(f"{len(canary_loss)} canary losses for {len(steps)} steps")
    losses = [None if loss is None else float(loss) for loss in (canary_loss or [None] * len(steps))]
    log_loss = np.array([np.log(loss) if loss and loss > 0 else np.nan for loss in losses])
    rules = TensorRules(
        steps,
        tensors=tensors,
        norms=norms,
        distances=pairwise_distances(projections),
        projections=projections,
        log_loss=log_loss,
    )
    sizes = np.array([int(np.prod(shape)) for _, shape in tensors])
    rules.judge_finite()
    rules.judge_equal(digests, limits.max_unchanged)
    rules.judge_partly_equal(digests, sizes, limits.min_borrowed)
    rules.judge_start(limits.max_start_jump)
    rules.judge_straight(limits.min_chord)
    rules.judge_detours(limits.max_detour)
    rules.judge_end(limits.max_end_distance)
    rules.judge_tensors(limits)
    rules.judge_order(max_start_z=limits.max_start_z, max_canary_z=limits.max_canary_z)
    return tuple(_verdict(rules, index) for index in range(len(steps)))


def _check_shapes(
    steps: Sequence[int],
    projections: np.ndarray,
    digests: Sequence[Sequence[str]],
    norms: np.ndarray,
    tensors: Tensors,
) -> None:
    n, n_tensors = len(steps), len(tensors)
    if projections.ndim != 3 or projections.shape[:2] != (n, n_tensors):
        raise ValueError(f"projections have shape {projections.shape}, but there are {n} steps and {n_tensors} tensors")
    if len(digests) != n or any(len(row) != n_tensors for row in digests):
        raise ValueError(f"digests must be {n} rows of {n_tensors} tensors")
    if norms.shape != (n, n_tensors):
        raise ValueError(f"norms have shape {norms.shape}, but there are {n} steps and {n_tensors} tensors")
    if any(b <= a for a, b in pairwise(steps)):
        raise ValueError(f"steps must ascend without repeats: {steps}")


def _verdict(rules: TensorRules, index: int) -> CheckpointVerdict:
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
        chord=_known(rules.chord[index]),
        tensor_excess=_known(rules.excess[index]),
        odd_tensor=rules.odd_tensor.get(index),
        end_distance=_known(rules.end[index]),
        start_z=_known(rules.start_z[index]),
        canary_z=_known(rules.canary_z[index]),
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
