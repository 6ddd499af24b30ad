"""Sums over positions, in float64, from which a probe's per-neuron statistics are made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rare_neurons.models.influence.exact import PairEffects
from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.models.readout import Ablation
from rare_neurons.numerics.panel.folds import N_FOLDS
from rare_neurons.numerics.panel.standard_error import two_way_standard_error

MEANS = ("influence", "abs_influence", "direct_influence", "abs_direct_influence", "influence_within")
BOUNDS = ("truncation_bound", "rounding_bound", "exact_fraction")


class StratumSums:
    """Running sums of one stratum's pair effects by context, target type and fold."""

    def __init__(self, panel: PanelArrays, stratum: int, *, n_neurons: int, device: torch.device) -> None:
        self.rows = np.flatnonzero(panel.stratum == stratum)
        contexts, context_of = np.unique(panel.context[self.rows], return_inverse=True)
        types, type_of = np.unique(panel.target_id[self.rows], return_inverse=True)
        self.folds, self.halves = panel.fold[contexts].astype(np.int64), panel.half[contexts].astype(np.int64)
        self._place = {int(row): k for k, row in enumerate(self.rows)}
        self._labels = {"context": context_of, "type": type_of, "fold": panel.fold[panel.context[self.rows]]}
        self.counts = {name: np.bincount(labels) for name, labels in self._labels.items()}

        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(*shape, n_neurons, dtype=torch.float64, device=device)

        self.means = {name: zeros() for name in (*MEANS, *BOUNDS, "square")}
        self.by_context, self.by_type = zeros(len(contexts)), zeros(len(types))
        self.within_by_fold = zeros(N_FOLDS)

    def add(self, rows: np.ndarray, effects: PairEffects) -> None:
        """Add a block whose panel rows are `rows`."""
        at = np.array([self._place[int(row)] for row in rows])
        labels = {
            name: torch.as_tensor(values[at].astype(np.int64), device=effects.total.device)
            for name, values in self._labels.items()
        }
        self.by_context.index_add_(0, labels["context"], effects.total)
        self.by_type.index_add_(0, labels["type"], effects.total)
        self.within_by_fold.index_add_(0, labels["fold"], effects.within)
        terms = {
            "influence": effects.total.sum(0),
            "abs_influence": effects.total.abs().sum(0),
            "direct_influence": effects.direct.sum(0),
            "abs_direct_influence": effects.direct.abs().sum(0),
            "influence_within": effects.within.sum(0),
            "truncation_bound": effects.truncation.sum(0),
            "rounding_bound": effects.rounding.sum(0),
            "exact_fraction": effects.exact.sum(0),
            "square": effects.total.square().sum(0),
        }
        for name, value in terms.items():
            self.means[name] += value

    def finish(self) -> dict[str, np.ndarray]:
        """Per-neuron statistics `[neuron]` and the fold sums `[fold]`, `[fold, neuron]` of this stratum."""
        n = len(self.rows)
        if n == 0:
            return {}
        out = {name: (self.means[name] / n).cpu().numpy() for name in (*MEANS, *BOUNDS)}
        by_context = self.by_context.cpu().numpy()
        variance = (self.means["square"].cpu().numpy() - n * out["influence"] ** 2) / max(n - 1, 1)
        out["influence_se"] = two_way_standard_error(
            context_sums=by_context,
            context_counts=self.counts["context"],
            type_sums=self.by_type.cpu().numpy(),
            type_counts=self.counts["type"],
            observation_variance=np.maximum(variance, 0.0),
        )
        for half, name in enumerate(("influence_a", "influence_b")):
            n_half = self.counts["context"][self.halves == half].sum()
            total = by_context[self.halves == half].sum(0)
            out[name] = total / n_half if n_half else np.full_like(total, np.nan)
        fold_sums = np.zeros((N_FOLDS, by_context.shape[1]))
        np.add.at(fold_sums, self.folds, by_context)
        out["fold_influence_sum"], out["fold_within_sum"] = fold_sums, self.within_by_fold.cpu().numpy()
        out["fold_n"] = np.bincount(self._labels["fold"], minlength=N_FOLDS)
        return out


def merge_strata(finished: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Stack strata's statistics; one without targets is NaN, its fold sums and counts zero."""
    columns = {}
    for name, sample in next(f for f in finished if f).items():
        empty = np.zeros_like(sample) if name.startswith("fold_") else np.full_like(sample, np.nan)
        columns[name] = np.stack([f.get(name, empty) for f in finished])
    return columns


@dataclass
class ExpectedSums:
    """Running sums for `influence_expected`: targets drawn from the model itself, at natural positions."""

    numerator: torch.Tensor  # [class, neuron]
    denominator: torch.Tensor  # [class]

    @classmethod
    def zeros(cls, *, n_classes: int, n_neurons: int, device: torch.device) -> ExpectedSums:
        """Nothing seen yet."""
        numerator = torch.zeros(n_classes, n_neurons, dtype=torch.float64, device=device)
        return cls(numerator, torch.zeros(n_classes, dtype=torch.float64, device=device))

    def add(
        self, weight: torch.Tensor, tokens: TokenBlock, ablation: Ablation, effects: PairEffects, class_U: torch.Tensor
    ) -> None:
        """Add `Σ_t ω_t [P_t(S) log E_p e^f − Σ_{v∈S} p_v f_v]`; `weight` `[pos]`, `class_U` `[class, pos, neuron]`."""
        mass = tokens.class_log_p.exp() * weight[:, None]
        self.denominator += mass.sum(0)
        self.numerator += mass.T @ (effects.total + effects.target_change)
        self.numerator -= (tokens.class_z * weight[:, None]).T @ ablation.epsilon
        if tokens.class_q is not None:
            self.numerator -= (tokens.class_q * weight[:, None]).T @ ablation.kappa
        weighted = ablation.eta * weight[:, None]
        for k, U in enumerate(class_U):
            self.numerator[k] -= torch.linalg.vecdot(weighted, U, dim=0)

    def finish(self, n_strata: int) -> np.ndarray:
        """`influence_expected` `[stratum, neuron]`; NaN where the model gives a stratum no mass."""
        mass = self.denominator[:n_strata, None]
        return torch.where(mass > 0, self.numerator[:n_strata] / mass, torch.nan).cpu().numpy()
