"""Mean gradient of the loss with respect to the final residual stream, stratum by stratum."""

from __future__ import annotations

import numpy as np
import torch

from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.models.readout import Readout


class ResidualGradients:
    """Sums the targets' gradients of each stratum."""

    def __init__(self, panel: PanelArrays, readout: Readout) -> None:
        self.panel, self.readout = panel, readout
        self.total = torch.zeros(len(panel.strata), readout.A.shape[1], dtype=torch.float64, device=readout.A.device)

    def add(self, rows: np.ndarray, stratum: int, tokens: TokenBlock, residual: torch.Tensor) -> None:
        """Add a block of one stratum with the final residual `residual` `[pos, d_model]`."""
        self.total[stratum] += residual_gradient(self.readout, tokens, residual).sum(0)

    def finish(self) -> np.ndarray:
        """Mean gradient `[stratum, d_model]`."""
        n = np.bincount(self.panel.stratum, minlength=len(self.panel.strata))
        return self.total.cpu().numpy() / n[:, None]


def residual_gradient(readout: Readout, tokens: TokenBlock, residual: torch.Tensor) -> torch.Tensor:
    """Gradient of each target's loss with respect to the final residual `[pos, d_model]`."""
    g = tokens.class_A.sum(0) - readout.A[tokens.target]
    c = readout.norm.centre(residual)
    if readout.norm.kind != "none":
        g = g - c * (c * g).sum(-1, keepdim=True) * tokens.scale**2 / c.shape[-1]
    return tokens.scale * readout.norm.centre(g)
