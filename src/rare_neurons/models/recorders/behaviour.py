"""Per-target behaviour of the unablated model: loss, entropy, divergence from the unigram, residual gradient."""

from __future__ import annotations

import numpy as np
import torch

from rare_neurons.models.influence.tokens import TokenBlock, residual_gradient
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.models.readout import Readout


class BehaviourRows:
    """Fills per-target rows block by block; rows never filled stay NaN."""

    def __init__(self, panel: PanelArrays, readout: Readout) -> None:
        self.panel, self.readout = panel, readout
        names = ("loss", "entropy", "kl_model_to_unigram", "kl_unigram_to_model")
        self.rows = {name: np.full(len(panel.context), np.nan) for name in names}
        self.gradient = torch.zeros(len(panel.strata), readout.A.shape[1], dtype=torch.float64, device=readout.A.device)

    def add(self, rows: np.ndarray, stratum: int, tokens: TokenBlock, residual: torch.Tensor) -> None:
        """Add a block of one stratum whose panel rows are `rows` and final residual `residual` `[pos, d_model]`."""
        for name, values in tokens.behaviour.items():
            self.rows[name][rows] = values.cpu().numpy()
        self.gradient[stratum] += residual_gradient(self.readout, tokens, residual).sum(0)

    def finish(self) -> dict[str, np.ndarray]:
        """Per-target rows and the mean gradient of each stratum (NaN where it has no targets)."""
        n = np.bincount(self.panel.stratum, minlength=len(self.panel.strata))[:, None]
        total = self.gradient.cpu().numpy()
        return {**self.rows, "residual_gradient": np.where(n > 0, total / np.maximum(n, 1), np.nan)}
