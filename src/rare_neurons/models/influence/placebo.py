"""Placebos: output directions that meet the activations of other neurons, summed by cell of the grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from rare_neurons.models.influence.budget import Budget
from rare_neurons.models.influence.inputs import EngineSettings, PassInputs
from rare_neurons.models.recorders.row_labels import RowLabels
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.grid.moments import disjoint_products
from rare_neurons.numerics.influence.placebo import placebo_permutations

SUMMED = ("placebo_within_sum", "placebo_within_pairs")
"""Columns that are sums over the neurons of a slab: those of all slabs are added."""
# Of the tolerance of the network's own neurons: a placebo's count in means over neurons only and are ranked nowhere.
TOLERANCE_FACTOR = 2


class Placebos:
    """Within-stratum effects of each draw for one slab of output directions.

    Cell sums are kept per direction until the end, because products of cells are taken within a direction.
    """

    def __init__(self, inputs: PassInputs, slab: slice, settings: EngineSettings, *, parallel: bool = False) -> None:
        panel, device = inputs.panel, inputs.readout.A.device
        norms = inputs.block.W_out.norm(dim=-1).cpu().numpy()
        draws = placebo_permutations(norms, n_draws=settings.placebo_draws, seed=settings.placebo_seed)
        self.neurons = torch.from_numpy(draws[:, slab])
        self.captured, self.device, self.cell, self.parallel = inputs.captured, device, panel.cell(), parallel
        n = self.neurons.shape[1]
        shape = (len(draws), len(panel.strata), N_FOLDS**2, n)
        self.sums = torch.zeros(shape, dtype=torch.float64, device=device)
        tolerance = {
            "tolerance": TOLERANCE_FACTOR * settings.tolerance,
            "tolerance_se": TOLERANCE_FACTOR * settings.tolerance_se,
        }
        self.budgets = [
            [Budget(n_positions=int(k), n_neurons=n, **tolerance, device=device) for _ in draws]
            for k in np.bincount(panel.stratum, minlength=len(panel.strata))
        ]

    def deltas(self, rows: np.ndarray) -> list[torch.Tensor]:
        """Mean activation minus activation of the neurons that each draw gives the directions `[pos, direction]`."""
        activations = self.captured.activations.index_select(0, torch.from_numpy(rows))
        mean = self.captured.activation_mean
        return [(mean[i] - activations.index_select(1, i).double()).to(self.device) for i in self.neurons]

    def add(self, rows: np.ndarray, stratum: int, within: Sequence[torch.Tensor]) -> None:
        """Add each draw's effects `[pos, direction]` on a block of panel rows of one stratum."""
        cell = RowLabels(self.cell[rows], self.device, parallel=self.parallel)
        for draw, values in enumerate(within):
            cell.add(self.sums[draw, stratum], values)

    def finish(self) -> dict[str, np.ndarray]:
        """Sum over this slab's directions cell sums and their disjoint products `[draw, stratum, fold, bin]`."""
        n_draws, n_strata, _, n = self.sums.shape
        sums, pairs = np.zeros((2, n_draws, n_strata, N_FOLDS, N_FOLDS))
        for draw in range(n_draws):
            for stratum in range(n_strata):
                cells = self.sums[draw, stratum].cpu().numpy().T.reshape(n, N_FOLDS, N_FOLDS)
                sums[draw, stratum], pairs[draw, stratum] = cells.sum(0), disjoint_products(cells).sum(0)
        return dict(zip(SUMMED, (sums, pairs), strict=True))
