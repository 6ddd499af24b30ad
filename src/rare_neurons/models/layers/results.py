"""From what the passes have summed to the columns of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from rare_neurons.models.layers.draws import Sample
from rare_neurons.models.layers.estimate import Estimated
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.layers.part import ERROR_LIMIT, Audited, PartNumbers, summarise_part
from rare_neurons.numerics.layers.rows import LayerAuditRow, LayerInfluenceRow
from rare_neurons.numerics.layers.sampling import audited_factor, type_factor
from rare_neurons.numerics.layers.shrink import Shrunk, shrink
from rare_neurons.numerics.layers.sums import EffectSums

PARTS = ("whole", "within")
Place = tuple[int, int, int]
"""Stratum, part and layer."""
Columns = Mapping[str, list[object]]


@dataclass(frozen=True)
class LayerResult:
    """Columns of both tables, by the names of `LayerInfluenceRow` and `LayerAuditRow`."""

    influence: Columns
    audit: Columns


@dataclass(frozen=True)
class Measured:
    """What the passes found.

    `shrunk` by stratum, part and layer; `audited` the strongest and the random neurons of each layer, and `exact`
    `[part, audited, target]` their changes.
    """

    sample: Sample
    estimated: Estimated
    shrunk: Mapping[Place, Shrunk]
    audited: Sequence[tuple[np.ndarray, np.ndarray]]
    exact: Sequence[np.ndarray]


def shrunk_estimates(sums: EffectSums, n_targets: np.ndarray) -> dict[Place, Shrunk]:
    """Estimates of every layer and loss; strata without targets have none."""
    first, second = sums.first.sum((2, 3)), sums.second.sum((2, 3))
    return {
        (s, p, layer): shrink(
            first[s, p, layer] / n,
            second[s, p, layer] / n,
            sums.sign_variance[s, p, layer] / n**2,
            np.concatenate([sums.gauss_newton[s, None, layer], sums.fisher[s, :, layer]]) / n,
            sums.sign_df[s, p, layer],
        )
        for s, n in enumerate(n_targets.tolist())
        if n > 0
        for p in range(len(PARTS))
        for layer in range(first.shape[2])
    }


def make_columns(measured: Measured, *, confidence: float) -> LayerResult:
    """Write down everything, layer by layer and stratum by stratum."""
    influence: dict[str, list[object]] = {field.name: [] for field in fields(LayerInfluenceRow)}
    audit: dict[str, list[object]] = {field.name: [] for field in fields(LayerAuditRow)}
    for layer in range(len(measured.audited)):
        for s in range(len(measured.sample.strata)):
            parts = [_Part(measured, (s, p, layer), confidence) for p in range(len(PARTS))]
            for part in parts:
                _extend(audit, {name: [value] for name, value in part.audit_row().items()})
            _extend(influence, _neurons(measured, layer, s, parts))
    return LayerResult(influence, audit)


def _extend(columns: Mapping[str, list[object]], more: Mapping[str, Sequence[object]]) -> None:
    for name, values in more.items():
        columns[name].extend(values)


class _Part:
    """One stratum, part and layer."""

    def __init__(self, measured: Measured, place: Place, confidence: float) -> None:
        self.measured, self.place, self.confidence = measured, place, confidence
        s, p, layer = place
        sample, sums = measured.sample, measured.estimated.sums
        self.rows = np.flatnonzero(sample.stratum == s)
        self.n = len(self.rows)
        self.shrunk = measured.shrunk.get(place)
        self.numbers: PartNumbers | None = None
        if self.shrunk is not None:
            self.numbers = summarise_part(
                self.shrunk,
                self._audited(),
                quadrants=sums.first[s, p, :, :, layer] + 0.5 * sums.second[s, p, :, :, layer],
                counts=self._by_quadrant(np.ones((1, self.n)))[..., 0],
                confidence=confidence,
            )
        self.type_factor = None if self.shrunk is None else self.factor()

    def _changes(self) -> np.ndarray:
        """Exact changes of this stratum's targets `[audited, target]`."""
        _, p, layer = self.place
        return self.measured.exact[layer][p][:, self.rows].astype(np.float64)

    def _audited(self) -> Audited:
        strongest, random = self.measured.audited[self.place[2]]
        changes = self._changes()
        return Audited(strongest, random, changes.mean(1), self._by_quadrant(changes))

    def _by_quadrant(self, values: np.ndarray) -> np.ndarray:
        """Add up values `[row, target]` by half and fold `[half, fold, row]`."""
        sample = self.measured.sample
        sums = np.zeros((2, N_FOLDS, len(values)))
        np.add.at(sums, (sample.half[self.rows], sample.fold[sample.context[self.rows]]), values.T)
        return sums

    def factor(self) -> float | None:
        """Divide the sampling error by documents and types by that by documents alone."""
        s, p, layer = self.place
        sample, sums = self.measured.sample, self.measured.estimated.sums
        cluster = sample.cluster[sample.context]
        if not self.measured.estimated.single:
            return audited_factor(self._changes().T, document=cluster[self.rows], token=sample.target_id[self.rows])
        drawn = self.measured.estimated.single[s]
        return type_factor(
            drawn.few[p, :, layer].astype(np.float64),
            mean=self.first_order()[drawn.neurons],
            weight=drawn.weight,
            document=cluster[drawn.rows],
            token=sample.target_id[drawn.rows],
            document_variance=sums.document_variance[s, p, layer, drawn.neurons],
            n_targets=self.n,
        )

    def first_order(self) -> np.ndarray:
        """Mean first-order effect `[neuron]`."""
        s, p, layer = self.place
        return self.measured.estimated.sums.first[s, p, :, :, layer].sum((0, 1)) / self.n

    def standing(self) -> tuple[str, str | None]:
        """Status and reason."""
        if self.numbers is None:
            return "no_targets", "none of the stratum's targets are in the contexts; raise layers.contexts"
        if not self.numbers.trusted:
            share = self.numbers.error_share
            return "inaccurate", (
                f"the {PARTS[self.place[1]]} loss: neurons ablated at random differ from their estimates by "
                f"{share:.2g} of the layer's root mean square, more than {ERROR_LIMIT}"
            )
        return "ok", None

    def neurons(self) -> dict[str, list[object]]:
        """Columns of the neurons, named as for the whole loss; None throughout unless all is well."""
        n_neurons = self.measured.estimated.sums.first.shape[-1]
        if self.standing()[0] != "ok":
            return {name: [None] * n_neurons for name in ("", "_error", "_low", "_high", "_se", "_first_order")}
        s, p, layer = self.place
        se = np.sqrt(self.measured.estimated.sums.document_variance[s, p, layer]) * (self.type_factor or np.nan)
        one = self.numbers
        arrays = {"": one.influence, "_error": one.error, "_low": one.low, "_high": one.high}
        columns = {name: values.tolist() for name, values in arrays.items()}
        se_list = [value if np.isfinite(value) else None for value in se.tolist()]
        return columns | {"_se": se_list, "_first_order": self.first_order().tolist()}

    def audit_row(self) -> dict[str, object]:
        """Row of the audit; None throughout unless there are numbers."""
        s, p, layer = self.place
        status, reason = self.standing()
        found: dict[str, object] = {field.name: None for field in fields(LayerAuditRow)}
        strongest, random = self.measured.audited[layer]
        found |= {"layer": layer, "stratum": self.measured.sample.strata[s], "part": PARTS[p]}
        found |= {"n_audited": len(strongest) + len(random), "status": status, "reason": reason}
        if self.numbers is None:
            return found
        one, shrunk = self.numbers, self.shrunk
        found |= {"shrink_multiples": shrunk.multiples.tolist(), "shrink_signs": shrunk.signs}
        found |= {"se_type_factor": self.type_factor}
        found |= {"error_share": one.error_share, "third_order_share": one.third_order_share}
        if status != "ok":
            return found
        named = ("conformal_factor", "total_influence", "total_low", "total_high")
        named += ("mean_influence", "mean_influence_leave_outs")
        named += ("mean_square", "mean_square_se", "mean_square_leave_outs")
        found |= {name: getattr(one, name) for name in named}
        return found | {"error_over_se_p90": self._error_over_se()}

    def _error_over_se(self) -> float | None:
        s, p, layer = self.place
        variance = self.measured.estimated.sums.document_variance[s, p, layer]
        known = variance > 0
        if self.type_factor is None or not known.any():
            return None
        ratio = self.shrunk.error[known] / (np.sqrt(variance[known]) * self.type_factor)
        return float(np.quantile(ratio, 0.9))


def _neurons(measured: Measured, layer: int, s: int, parts: Sequence[_Part]) -> dict[str, list[object]]:
    """Rows of the neurons of one layer and stratum."""
    whole, within = (part.neurons() for part in parts)
    n_neurons = len(whole[""])
    status, reason = next((one for one in (part.standing() for part in parts) if one[0] != "ok"), ("ok", None))
    exact = np.isin(np.arange(n_neurons), np.concatenate(measured.audited[layer]))
    single = measured.estimated.single
    known = bool(single) and parts[0].standing()[0] == "ok"
    rms = np.sqrt(single[s].mean_square[layer]).tolist() if known else [None] * n_neurons
    return {
        "layer": [layer] * n_neurons,
        "neuron": list(range(n_neurons)),
        "stratum": [measured.sample.strata[s]] * n_neurons,
        "n_targets": [parts[0].n] * n_neurons,
        **{f"influence{name}": values for name, values in whole.items()},
        **{f"influence_within{name}": values for name, values in within.items()},
        "exact": exact.tolist(),
        "rms_influence": rms,
        "status": [status] * n_neurons,
        "reason": [reason] * n_neurons,
    }
