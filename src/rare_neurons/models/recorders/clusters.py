"""Sums of targets that share a document, a target type, both, or a cell of the grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rare_neurons.models.panel_arrays import PARTS, PanelArrays
from rare_neurons.models.recorders.row_labels import RowLabels
from rare_neurons.numerics.grid.cells import count_cells
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.panel.standard_error import (
    cluster_variance,
    streamed_cluster_variance,
    two_way_standard_error,
)

NAMES = ("document", "type", "pair", "cell")


@dataclass(frozen=True)
class Labels:
    """Which clusters the targets of one stratum belong to.

    `rows`: their panel rows, ascending; `of_row`: per way of clustering the label `[row]`; `counts`: targets per label.
    """

    rows: np.ndarray
    of_row: dict[str, np.ndarray]
    counts: dict[str, np.ndarray]

    @classmethod
    def of(cls, panel: PanelArrays, stratum: int) -> Labels:
        """Labels of a stratum's targets, counted from zero without gaps but for cells."""
        rows = np.flatnonzero(panel.stratum == stratum)
        plain = {"document": panel.document, "type": panel.target_id, "pair": panel.pair()}
        of_row = {name: np.unique(labels[rows], return_inverse=True)[1] for name, labels in plain.items()}
        of_row["cell"] = panel.cell()[rows]
        counts = {name: np.bincount(labels) for name, labels in of_row.items()}
        counts["cell"] = count_cells(*np.divmod(of_row["cell"], N_FOLDS), n_folds=N_FOLDS)
        return cls(rows, of_row, counts)

    def at(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Labels of some panel rows."""
        place = np.searchsorted(self.rows, rows)
        return {name: labels[place] for name, labels in self.of_row.items()}


class PairClusters:
    """`Σ S²` and `Σ n S` over (document, type) pairs whose targets come one after another.

    Panels have nearly as many pairs as targets, so that their sums would need as much memory as the vocabulary.
    """

    def __init__(self, counts: np.ndarray, zeros: torch.Tensor, *, parallel: bool = False) -> None:
        self.parallel = parallel
        self.counts, self.closed = counts, np.zeros(len(counts), dtype=bool)
        self.squares, self.products, self.open_sum = zeros.clone(), zeros.clone(), zeros.clone()
        self.open: int | None = None

    def add(self, labels: np.ndarray, values: torch.Tensor) -> None:
        """Add targets `[pos]` with values `[pos, neuron]`; the last pair may go on in the next block."""
        starts = np.flatnonzero(np.append(True, labels[1:] != labels[:-1]))
        runs = labels[starts]
        of_row = np.repeat(np.arange(len(runs)), np.diff(np.append(starts, len(labels))))
        sums = torch.zeros(len(runs), values.shape[1], dtype=values.dtype, device=values.device)
        RowLabels(of_row, values.device, parallel=self.parallel).add(sums, values)
        if self.open == runs[0]:
            sums[0] += self.open_sum
        elif self.open is not None:
            self._close(np.array([self.open]), self.open_sum[None])
        self._close(runs[:-1], sums[:-1])
        self.open, self.open_sum = int(runs[-1]), sums[-1].clone()

    def _close(self, labels: np.ndarray, sums: torch.Tensor) -> None:
        if self.closed[labels].any() or len(np.unique(labels)) < len(labels):
            raise ValueError("targets of one document and type must come one after another")
        self.closed[labels] = True
        counts = torch.as_tensor(self.counts[labels], dtype=sums.dtype, device=sums.device)
        self.squares += sums.square().sum(0)
        self.products += counts @ sums

    def finish(self, total: np.ndarray) -> np.ndarray:
        """Variance of the mean `[neuron]`, from the sum over all targets."""
        if self.open is not None:
            self._close(np.array([self.open]), self.open_sum[None])
            self.open = None
        running = {"squares": self.squares.cpu().numpy(), "products": self.products.cpu().numpy()}
        return streamed_cluster_variance(total=total, **running, counts=self.counts)


class ClusteredSums:
    """Running sums of one quantity of a stratum `[neuron]`, in float64: its two-way error, parts and cells."""

    def __init__(self, labels: Labels, *, n_neurons: int, device: torch.device, parallel: bool) -> None:
        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(*shape, n_neurons, dtype=torch.float64, device=device)

        self.counts = labels.counts
        self.sums = {name: zeros(len(labels.counts[name])) for name in ("document", "type")}
        self.sums["cell"] = zeros(N_FOLDS**2)
        self.pairs = PairClusters(labels.counts["pair"], zeros(), parallel=parallel)

    def add(self, values: torch.Tensor, labels: dict[str, np.ndarray], on_device: dict[str, RowLabels]) -> None:
        """Add values `[pos, neuron]` with their labels, as arrays and on the device."""
        for name, sums in self.sums.items():
            on_device[name].add(sums, values)
        self.pairs.add(labels["pair"], values)

    def finish(self, name: str) -> dict[str, np.ndarray]:
        """Give the mean, its `_se`, its `_a` and `_b` in both parts of the grid, all `[neuron]`."""
        cells, n = self.cells(), self.counts["cell"]
        total = cells.sum((0, 1))
        variance = {
            f"{way}_variance": cluster_variance(self.sums[way].cpu().numpy(), self.counts[way])
            for way in ("document", "type")
        }
        se = two_way_standard_error(**variance, pair_variance=self.pairs.finish(total))
        parts = {f"{name}_{part}": cells[mask].sum(0) / n[mask].sum() for part, mask in zip("ab", PARTS, strict=True)}
        return {name: total / n.sum(), f"{name}_se": se, **parts}

    def cells(self) -> np.ndarray:
        """Give the sums over the targets of each cell `[fold, bin, neuron]`."""
        return self.sums["cell"].cpu().numpy().reshape(N_FOLDS, N_FOLDS, -1)
