"""Whether attention heads reach a set's neurons on one stratum more than on another, beyond matched sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from rare_neurons.columns import Column, Layer, NTargets, Reason, Stratum
from rare_neurons.numerics.organisation.comparison import share_as_far
from rare_neurons.numerics.organisation.matching import MatchedSets

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RoutingRow:
    """One head, or a whole layer, and the set of one stratum."""

    layer: Layer
    head: Annotated[int | None, Column(None, "0-based; null: all heads of the layer together")]
    stratum: Stratum
    against: Annotated[str, Column(None, "the stratum that it is compared with")]
    n_set: Annotated[int, Column("neurons", "size of the set")]
    n_targets: NTargets
    head_effect: Annotated[
        float | None,
        Column(
            "sd",
            "mean over the set of |change of the activation| when the head attends to the first position alone, in "
            "the activation's standard deviation in that stratum",
        ),
    ]
    null_effect: Annotated[float | None, Column("sd", "median of the same over matched sets")]
    log_ratio: Annotated[
        float | None, Column("log ratio", "mean over the set of ln of the effect over that in `against`")
    ]
    log_ratio_centred: Annotated[float | None, Column("log ratio", "the same less each neuron's mean over heads")]
    null_median: Annotated[float | None, Column("log ratio", "median of `log_ratio_centred` over matched sets")]
    p_value: Annotated[float | None, Column(None, "two-sided share of matched sets as far out, for this head alone")]
    p_max: Annotated[
        float | None, Column(None, "share of matched sets whose furthest head is as far out as the set's; what decides")
    ]
    status: Annotated[
        str, Column(None, "`ok`, `cannot_act` (effect 0), `not_identifiable`, `layer` (no test), or `undefined`")
    ]
    reason: Reason


@dataclass(frozen=True, eq=False)
class HeadEffects:
    """Mean |change| of each neuron's activation, in its sd in that stratum, when a head is redirected.

    Attributes
    ----------
    names : sequence of (layer, head or None)
    own, other : array [head, neuron]
        On the set's stratum and on the one it is compared with; NaN where a neuron does not vary there.
    n_targets : int
        Rows of the set's stratum.
    """

    names: Sequence[tuple[int, int | None]]
    own: Array
    other: Array
    n_targets: int


def relative_change(before: Array, after: Array) -> Array:
    """Mean |change| of each activation over rows `[row, neuron]`, in its own standard deviation; NaN where it has none.

    In natural units every head looks preferential on the stratum where activations vary more.
    """
    sd = before.std(axis=0)
    change = np.abs(after - before).mean(axis=0)
    return np.divide(change, sd, out=np.full(len(sd), np.nan), where=sd > 0)


def measure_routing(effects: HeadEffects, matched: MatchedSets, *, stratum: str, against: str) -> list[RoutingRow]:
    """Test the single heads that can act, and describe the others and whole layers.

    Parameters
    ----------
    effects : HeadEffects
    matched : MatchedSets
    stratum, against : str

    Returns
    -------
    list of RoutingRow
        In the order of the names.

    Notes
    -----
    ``D[h, i] = ln(own/other)``, less its mean over the single heads that act: a neuron that every head reaches more on
    one stratum is not routed. Of each head the set's mean is compared with its matched sets' at the set's covariates,
    and the largest |z| over heads with theirs.
    """
    acts = np.nan_to_num(effects.own).max(axis=1) > 0
    single = np.array([head is not None for _, head in effects.names])
    tested = np.flatnonzero(acts & single)
    sets = np.concatenate([matched.chosen[None], matched.sets])
    ratio = _log_ratio(effects)
    found = _test(ratio[tested], sets, matched) if len(tested) > 1 else {}
    rows = []
    for k, (layer, head) in enumerate(effects.names):
        of_sets = _mean_over(effects.own[k : k + 1], sets)[0]
        more = {"status": "cannot_act", "reason": "no path from this head to the neurons: the change is exactly 0"}
        if acts[k]:
            more = {"log_ratio": _number(_mean_over(ratio[k : k + 1], sets[:1])[0, 0])}
            more |= _verdict(found, int(np.searchsorted(tested, k)) if k in tested else None, matched, single[k])
        rows.append(
            RoutingRow(
                layer=layer,
                head=head,
                stratum=stratum,
                against=against,
                n_set=len(matched.chosen),
                n_targets=effects.n_targets,
                head_effect=_number(of_sets[0]),
                null_effect=_number(np.median(of_sets[1:])),
                **({"log_ratio": None} | dict.fromkeys(_TESTED) | more),
            )
        )
    return rows


_TESTED = ("log_ratio_centred", "null_median", "p_value", "p_max")


def _verdict(found: dict[str, Array], at: int | None, matched: MatchedSets, single: bool) -> dict[str, object]:
    if at is None or not found:
        if not single:
            return {"status": "layer", "reason": "whole layers are described, not tested"}
        return {"status": "undefined", "reason": "fewer than two heads act: nothing to centre over"}
    values = {name: _number(found[name][at]) for name in _TESTED if name != "p_max"} | {"p_max": found["p_max"]}
    return values | {"status": "not_identifiable" if matched.reason else "ok", "reason": matched.reason}


def _test(ratio: Array, sets: NDArray[np.int64], matched: MatchedSets) -> dict[str, object]:
    """Per head the centred mean, its null median and p; and one p of the largest deviation over heads."""
    values = _mean_over(ratio - ratio.mean(axis=0), sets)
    adjusted = np.stack([matched.adjusted(row) for row in values])
    observed = values[:, 0]
    centre, spread = adjusted.mean(axis=1, keepdims=True), adjusted.std(axis=1, keepdims=True)
    spread = np.where(spread > 0, spread, 1.0)
    drawn = np.abs((adjusted - centre) / spread).max(axis=0)
    furthest = float(np.abs((observed - centre[:, 0]) / spread[:, 0]).max())
    return {
        "log_ratio_centred": observed,
        "null_median": np.median(adjusted, axis=1),
        "p_value": np.array([share_as_far(a, o, "two-sided") for a, o in zip(adjusted, observed, strict=True)]),
        "p_max": share_as_far(drawn, furthest, "upper"),
    }


def _log_ratio(effects: HeadEffects) -> Array:
    """NaN of a neuron that some acting head does not move on one of both strata."""
    defined = (effects.own > 0) & (effects.other > 0)
    quotient = np.divide(effects.own, effects.other, out=np.full(effects.own.shape, np.nan), where=defined)
    return np.log(quotient)


def _mean_over(values: Array, sets: NDArray[np.int64]) -> Array:
    """Mean over each set's neurons that have a value `[head, set]`; NaN where none has."""
    of_sets = values[:, sets]
    known = np.isfinite(of_sets)
    count = known.sum(axis=2)
    return np.divide(np.where(known, of_sets, 0).sum(axis=2), count, out=np.full(count.shape, np.nan), where=count > 0)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
