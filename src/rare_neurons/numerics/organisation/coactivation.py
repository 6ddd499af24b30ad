"""Whether the neurons of a set fire together, more than neurons that were as likely to be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import eigsh

Matrix = NDArray[np.float64]
QUANTITIES = ("excess_square_correlation", "excess_correlation", "mean_square_correlation", "participation_ratio_rest")
"""What `CoActivation` measures; the first decides."""

ITERATIONS = 30
BATCH = 256  # sets of which matrices are gathered at once


def rank_one(matrix: Matrix, *, signed: bool = False) -> NDArray[np.float64]:
    """Fit ``matrix_ij ≈ θ_i θ_j`` for i ≠ j: what the overall correlatedness of two neurons predicts of their pair.

    Least squares without the diagonal, by filling it with ``θ_i²`` in turn.

    Parameters
    ----------
    matrix : ndarray, shape (neuron, neuron)
        Symmetric; its diagonal is not read.
    signed : bool
        Whether loadings of both signs are expected (correlations), or of one (their squares).

    Returns
    -------
    ndarray, shape (neuron,)
        Zeros where no such part is found.
    """
    filled = matrix.copy()
    diagonal = np.diag_indices(len(filled))
    filled[diagonal] = 0
    if signed:
        start = np.random.default_rng(0).standard_normal(len(filled))
        value, vector = eigsh(filled, k=1, which="LA", v0=start, tol=1e-6)
        theta = vector[:, 0] * np.sqrt(max(float(value[0]), 0.0))
    else:
        theta = np.full(len(filled), np.sqrt(max(filled.sum() / (len(filled) * (len(filled) - 1)), 0.0)))
    for _ in range(ITERATIONS):
        filled[diagonal] = theta**2
        image = filled @ theta
        size = float(image @ theta)
        if size <= 0:
            return np.zeros(len(filled))
        theta = image / np.sqrt(size)
    return theta


@dataclass(frozen=True, eq=False)
class Split:
    """Correlations of all neurons in two parts that share neither documents nor target types, `[neuron, neuron]`."""

    first: Matrix
    second: Matrix


class CoActivation:
    """Co-activation of sets in a layer, from correlations in disjoint parts; averaged over splits.

    With R₁, R₂ the correlations of both parts, the mean over a set's pairs of

    * ``R₁R₂``: `mean_square_correlation`, which noise leaves at ρ² on average;
    * ``R₁R₂ − θᵢθⱼ``: `excess_square_correlation`, θ the rank-one part of R₁R₂;
    * ``(R₁+R₂)/2 − θᵢθⱼ``: `excess_correlation`, θ that of the mean.

    θ of a set's neurons is read from their pairs with neurons outside the set (`Excess`).
    `participation_ratio_rest` is that of the set's correlations, as a share of its size, when the first direction of
    one part is projected out of both.

    Parameters
    ----------
    splits : sequence of Split
    """

    def __init__(self, splits: Sequence[Split]) -> None:
        self.splits = splits
        self.excess = [Excess.of(split.first * split.second) for split in splits]
        self.signed = [Excess.of((split.first + split.second) / 2, signed=True) for split in splits]

    def __call__(self, sets: NDArray[np.int64]) -> NDArray[np.float64]:
        """Measure sets `[set, g]`: values `[set, quantity]` in the order of `QUANTITIES`."""
        rest = [
            np.mean([_rest(split, sets[start : start + BATCH]) for split in self.splits], axis=0)
            for start in range(0, len(sets), BATCH)
        ]
        return np.concatenate([self.of_pairs(sets), np.concatenate(rest)[:, None]], axis=1)

    def of_pairs(self, sets: NDArray[np.int64]) -> NDArray[np.float64]:
        """Measure all but the last of `QUANTITIES`, in half of the time."""
        found = []
        for start in range(0, len(sets), BATCH):
            chosen = sets[start : start + BATCH]
            squares = np.mean([part(chosen) for part in self.excess], axis=0)
            signed = np.mean([part(chosen)[0] for part in self.signed], axis=0)
            found.append(np.stack([squares[0], signed, squares[1]], axis=1))
        return np.concatenate(found)


@dataclass(frozen=True, eq=False)
class Excess:
    """Pairs of a set beyond what its neurons' pairs with all others predict.

    With the layer's fit θ as weights, ``k_i = Σ_{l∉S} M_il θ_l`` and ``m = Σ_{l,l'∉S} θ_l M_ll' θ_l'`` predict
    ``M_ij = k_i k_j / m``: θᵢθⱼ where the layer is of rank one. A fit to all pairs would take a cluster of the set's
    own for that part where nothing larger is there, and leave none of it.

    Attributes
    ----------
    matrix : ndarray [neuron, neuron]
        Diagonal filled with θ².
    theta, image : ndarray [neuron]
        The fit, and ``matrix @ theta``.
    """

    matrix: Matrix
    theta: NDArray[np.float64]
    image: NDArray[np.float64]

    @classmethod
    def of(cls, matrix: Matrix, *, signed: bool = False) -> Excess:
        """Fit a symmetric matrix (`rank_one`), whose diagonal is overwritten."""
        theta = rank_one(matrix, signed=signed)
        np.fill_diagonal(matrix, theta**2)
        return cls(matrix, theta, matrix @ theta)

    def __call__(self, sets: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean over the pairs of each set `[set, g]`: beyond the prediction, and as they are."""
        pairs = sets.shape[1] * (sets.shape[1] - 1)
        blocks = self.matrix[sets[:, :, None], sets[:, None, :]]
        theta, image = self.theta[sets], self.image[sets]
        inner = np.einsum("sij,sj->si", blocks, theta)
        k = image - inner
        m = self.theta @ self.image - 2 * (theta * image).sum(axis=1) + (theta * inner).sum(axis=1)
        whole = (blocks.sum(axis=(1, 2)) - np.trace(blocks, axis1=1, axis2=2)) / pairs
        predicted = (k.sum(axis=1) ** 2 - (k**2).sum(axis=1)) / pairs
        return whole - np.divide(predicted, m, out=np.zeros_like(m), where=m > 0), whole


def pair_means(matrix: Matrix, sets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean of a matrix over the pairs of different neurons of each set, ``[set]``."""
    size = sets.shape[1]
    blocks = matrix[sets[:, :, None], sets[:, None, :]]
    return (blocks.sum(axis=(1, 2)) - np.trace(blocks, axis1=1, axis2=2)) / (size * (size - 1))


def participation_ratio(mean_square: float, size: int) -> float:
    """Effective number of dimensions of ``size`` unit variances with this mean squared correlation.

    ``(Σλ)²/Σλ² = g / (1 + (g − 1) r²)``: the same claim as the mean squared correlation, in other units.

    Examples
    --------
    >>> participation_ratio(0.0, 10), participation_ratio(1.0, 10)
    (10.0, 1.0)
    """
    return size / (1 + (size - 1) * mean_square)


def effective_dimension_95(standardised: NDArray[np.float64], neurons: NDArray[np.int64]) -> float:
    """Seed convention: directions that hold 95 % of the variance, as a share of the set's size.

    It follows the number of rows: independent neurons give .49 to .56 at the published sizes.
    """
    values = np.linalg.svd(standardised[:, neurons], compute_uv=False) ** 2
    return float(np.searchsorted(np.cumsum(values) / values.sum(), 0.95) + 1) / len(neurons)


def _rest(split: Split, sets: NDArray[np.int64]) -> NDArray[np.float64]:
    first, second = (part[sets[:, :, None], sets[:, None, :]] for part in (split.first, split.second))
    direction = np.linalg.eigh(first)[1][:, :, -1:]
    project = np.eye(sets.shape[1]) - direction @ direction.transpose(0, 2, 1)
    first, second = project @ first @ project, project @ second @ project
    traces = np.trace(first, axis1=1, axis2=2) * np.trace(second, axis1=1, axis2=2)
    return traces / (first * second).sum(axis=(1, 2)) / sets.shape[1]
