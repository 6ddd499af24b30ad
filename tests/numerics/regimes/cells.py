"""Cells of one stratum with planted effects: what documents, token types and single targets add is known."""

import numpy as np

from rare_neurons.numerics.grid.cell_sums import CellSums


def planted_cells(
    rng: np.random.Generator,
    effect: np.ndarray,
    *,
    noise: float = 0.3,
    type_sd: float = 0.0,
    document_sd: float = 0.0,
    shared: bool = False,
    n_folds: int = 12,
) -> CellSums:
    """Cell sums of neurons with these effects, some 45 targets a cell.

    Noise of single targets, of each type bin and of each document fold as standard deviations; where shared, bins and
    folds shift all neurons alike.
    """
    counts = rng.integers(30, 60, (n_folds, n_folds)).astype(float)
    n = 1 if shared else len(effect)
    folds = document_sd * rng.standard_normal((n_folds, 1, n)) + type_sd * rng.standard_normal((1, n_folds, n))
    single = noise * np.sqrt(counts)[:, :, None] * rng.standard_normal((n_folds, n_folds, len(effect)))
    return CellSums(counts[:, :, None] * (effect + folds) + single, counts)


def influence_of(cells: CellSums) -> np.ndarray:
    """Influence [neuron] over all cells."""
    return cells.sums.sum((0, 1)) / cells.counts.sum()
