"""The kind of every neuron of a layer, from what one pass has counted (docs/methods/kinds.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from rare_neurons.columns import Column, Layer, Neuron, Reason
from rare_neurons.numerics.kinds.counts import LayerCounts
from rare_neurons.numerics.kinds.detectors import Detector, DetectorSearch, covering_number
from rare_neurons.numerics.kinds.ngrams import Text
from rare_neurons.numerics.kinds.positional import position_bias, position_information
from rare_neurons.numerics.kinds.triggers import trigger_percentile

SILENT = 0.01
"""Of the layer's median sd(activation)·|w_out|."""

POSITIONAL = 0.05
"""Nats beyond the bias (Voita et al. 2023 have it without taking the bias off)."""

SUPPRESSES = 0.05
"""Percentile of a detector's trigger below which it suppresses it."""


@dataclass(frozen=True)
class KindRow:
    """One neuron of one layer."""

    layer: Layer
    neuron: Neuron
    kind: Annotated[
        str,
        Column(
            None,
            "`dead`, `token_detector`, `bigram_detector`, `trigram_detector`, `undecided` or `other`; what else it is, "
            "the flags say",
        ),
    ]
    counted: Annotated[
        bool, Column(None, "whether counts of kinds include it: not where a layer's MLP sees the current token alone")
    ]
    n_positions: Annotated[int, Column("positions", "eligible positions that were looked at")]
    n_active: Annotated[int, Column("positions", "those with a pre-activation above zero")]
    most_active: Annotated[
        float | None, Column("share", "of a dead neuron: activity that 0 of `n_positions` leaves possible at 95 %, 3/n")
    ]
    silent: Annotated[bool, Column(None, "whether sd(activation)·|w_out| is below 1 % of the layer's median")]
    covering_types: Annotated[
        int | None, Column("types", "token types that hold 95 % of its activations; null where it has no list")
    ]
    triggers: Annotated[list[int], Column(None, "list of token ids: a detector's n-grams one after the other", "int32")]
    trigger_length: Annotated[int | None, Column("tokens", "length of each of them")]
    trigger_out: Annotated[
        float | None,
        Column("share", "of its last trigger token's 100 neighbours in frequency that W_U·w_out is smaller for; mean"),
    ]
    trigger_in: Annotated[float | None, Column("share", "the same by the embedding, W_E·w_out")]
    suppressor: Annotated[bool, Column(None, "whether `trigger_out` is at most 0.05")]
    position_information: Annotated[float, Column("nats", "mutual information of being active and the position")]
    position_bias: Annotated[float, Column("nats", "of it, what sampling alone gives")]
    position_rotated: Annotated[float, Column("nats", "the same with each context's positions rotated at random")]
    positional: Annotated[
        bool,
        Column(None, "whether it exceeds its bias by 0.05 nats, and by more than any neuron's rotated one exceeds it"),
    ]
    reason: Reason


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """What the census reads of the weights.

    Attributes
    ----------
    w_out : float array [neuron, d_model]
    unembedding, embedding : float array [vocab, d_model]
        The first with the final norm's weight folded in.
    norm_centres : bool
        Whether the final norm takes off the mean of what is written.
    sees_current_token_alone : bool
        Whether the layer's MLP reads nothing but the embedding: the first layer of a parallel model.
    """

    w_out: NDArray[np.float64]
    unembedding: NDArray[np.floating]
    embedding: NDArray[np.floating]
    norm_centres: bool
    sees_current_token_alone: bool


def take_census(layer: int, counts: LayerCounts, text: Text, weights: LayerWeights) -> Iterator[KindRow]:
    """Yield a row for every neuron of a layer.

    Parameters
    ----------
    layer : int
    counts : LayerCounts
    text : Text
    weights : LayerWeights
    """
    n_contexts, n_positions = len(text.token_ids), int(text.n_positions.sum())
    strength = counts.sd * np.linalg.norm(weights.w_out, axis=1)
    silent = strength < SILENT * np.median(strength)
    information, rotated = (position_information(c, n_contexts) for c in (counts.by_position, counts.by_rotated))
    bias = position_bias(counts.by_position, n_contexts)
    positional = (information - bias >= POSITIONAL) & (information - bias > (rotated - bias).max(initial=0.0))
    search = DetectorSearch(counts, text)
    by_count = text.frequent_types(len(text.grams[0].tokens))
    for neuron, n_active in enumerate(counts.n_active.sum(axis=0).tolist()):
        found = search(neuron)
        out, source = _percentiles(found, weights, weights.w_out[neuron], by_count)
        yield KindRow(
            layer=layer,
            neuron=neuron,
            kind="dead" if not n_active else found.kind or "other",
            counted=not weights.sees_current_token_alone,
            n_positions=n_positions,
            n_active=n_active,
            most_active=None if n_active else 3 / n_positions,
            silent=bool(silent[neuron]),
            covering_types=covering_number(counts, text, neuron),
            triggers=[token for gram in found.triggers for token in gram],
            trigger_length=len(found.triggers[0]) if found.triggers else None,
            trigger_out=out,
            trigger_in=source,
            suppressor=out is not None and out <= SUPPRESSES,
            position_information=float(information[neuron]),
            position_bias=float(bias[neuron]),
            position_rotated=float(rotated[neuron]),
            positional=bool(positional[neuron]),
            reason=found.reason,
        )


def _percentiles(
    found: Detector, weights: LayerWeights, w_out: NDArray[np.float64], by_count: NDArray[np.int64]
) -> tuple[float | None, float | None]:
    if found.kind in (None, "undecided"):
        return None, None
    direction = w_out - w_out.mean() if weights.norm_centres else w_out
    means = []
    for rows in (weights.unembedding, weights.embedding):
        of_each = [trigger_percentile(rows, direction, trigger=g[-1], by_count=by_count) for g in found.triggers]
        means.append(float(np.mean(of_each)))
    return means[0], means[1]
