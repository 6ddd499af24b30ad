"""Sums over positions, in float64, from which a probe's per-neuron statistics are made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rare_neurons.models.influence.exact import PairEffects
from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.models.readout import Ablation
from rare_neurons.models.recorders.clusters import ClusteredSums, Labels
from rare_neurons.models.recorders.row_labels import RowLabels

MEANS = ("abs_influence", "direct_influence", "abs_direct_influence")
BOUNDS = ("truncation_bound", "rounding_bound", "exact_fraction")


class StratumSums:
    """Running sums of one stratum's pair effects, whole and within it, by document, target type and cell."""

    def __init__(
        self, panel: PanelArrays, stratum: int, *, n_neurons: int, device: torch.device, parallel: bool = False
    ) -> None:
        self.labels, self.parallel = Labels.of(panel, stratum), parallel
        of_neurons = {"n_neurons": n_neurons, "device": device, "parallel": parallel}
        self.total, self.within = (ClusteredSums(self.labels, **of_neurons) for _ in range(2))
        self.means = {name: torch.zeros(n_neurons, dtype=torch.float64, device=device) for name in (*MEANS, *BOUNDS)}

    def add(self, rows: np.ndarray, effects: PairEffects) -> None:
        """Add a block whose panel rows are `rows`; rows of one document and target type come one after another."""
        labels = self.labels.at(rows)
        device = effects.total.device
        on_device = {name: RowLabels(labels[name], device, parallel=self.parallel) for name in self.total.sums}
        self.total.add(effects.total, labels, on_device)
        self.within.add(effects.within, labels, on_device)
        terms = {
            "abs_influence": effects.total.abs().sum(0),
            "direct_influence": effects.direct.sum(0),
            "abs_direct_influence": effects.direct.abs().sum(0),
            "truncation_bound": effects.truncation.sum(0),
            "rounding_bound": effects.rounding.sum(0),
            "exact_fraction": effects.exact.sum(0),
        }
        for name, value in terms.items():
            self.means[name] += value

    def finish(self) -> dict[str, np.ndarray]:
        """Per-neuron statistics `[neuron]`, and sums `[fold, bin, neuron]` and counts `[fold, bin]` of the cells."""
        out = {name: (sums / len(self.labels.rows)).cpu().numpy() for name, sums in self.means.items()}
        out |= self.total.finish("influence") | self.within.finish("influence_within")
        out |= {"cell_influence_sum": self.total.cells(), "cell_within_sum": self.within.cells()}
        out["cell_n"] = self.labels.counts["cell"].astype(np.int64)
        return out


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
