"""Whether the weight rows of a set of neurons point in common directions, beyond matched random sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.columns import Column, Stratum
from rare_neurons.numerics.organisation.matching import matched_sets

QUANTILES = (0.05, 0.5, 0.95)
_BATCH = 64  # sets whose correlation matrices are held at a time


@dataclass(frozen=True, slots=True)
class SetSpectrum:
    """Top eigenvalue of the row correlations of a set, beside its matched random sets.

    Attributes
    ----------
    n_set : int
        Neurons in the set.
    top_eigenvalue : float
        Largest eigenvalue of the correlation matrix of the set's rows; 1 where all are orthogonal, ``n_set`` where
        all are parallel.
    p_value : float
        Share of random sets with at least this top eigenvalue, ``(count + 1) / (n_permutations + 1)``.
    null_low, null_median, null_high : float
        5, 50 and 95 % quantile of the top eigenvalue over the random sets.
    hill_index : float or None
        Seed convention: tail index (no 1 added) of the largest tenth of the eigenvalues. It follows the size of the
        set and the width of the rows even without structure and is no evidence: read it against its null only.
    hill_null_low, hill_null_median, hill_null_high : float or None
        Its quantiles over the same random sets.
    n_permutations : int
        Number of random sets.
    decile_gap : int
        How many deciles apart the worst matched neuron may be from the one that it replaces.
    """

    n_set: Annotated[int, Column("neurons", "neurons of largest |influence| in half A")]
    top_eigenvalue: Annotated[
        float, Column(None, "largest eigenvalue of the correlations of their rows; 1 orthogonal, `n_set` parallel")
    ]
    p_value: Annotated[float, Column(None, "share of random sets with at least this top eigenvalue")]
    null_low: Annotated[
        float,
        Column(None, "5 % of `top_eigenvalue` over random sets matched in |w_in|, |w_out| and activation variance"),
    ]
    null_median: Annotated[float, Column(None, "50 % of the same")]
    null_high: Annotated[float, Column(None, "95 % of the same")]
    hill_index: Annotated[
        float | None,
        Column(None, "seed convention: Hill index of the largest tenth of the eigenvalues; follows the set's size"),
    ]
    hill_null_low: Annotated[float | None, Column(None, "5 % of it over the same random sets")]
    hill_null_median: Annotated[float | None, Column(None, "50 % of the same")]
    hill_null_high: Annotated[float | None, Column(None, "95 % of the same")]
    n_permutations: Annotated[int, Column("set_spectra", "random sets")]
    decile_gap: Annotated[
        int, Column("deciles", "how far the worst matched neuron may be from the one that it replaces")
    ]


@dataclass(frozen=True)
class OfSet:
    """First columns of rows that are about the weight rows of a stratum's top neurons."""

    stratum: Stratum
    matrix: Annotated[
        str, Column(None, "W_in, W_out, or W_out_without_gradients: the strata's mean gradients projected out")
    ]


@dataclass(frozen=True)
class SetSpectrumRow(SetSpectrum, OfSet):
    """One stratum and matrix of one checkpoint."""


def measure_set_spectrum(
    rows: ArrayLike,
    chosen: ArrayLike,
    covariates: ArrayLike,
    *,
    rng: np.random.Generator,
    directions: ArrayLike | None = None,
    n_permutations: int = 999,
) -> SetSpectrum:
    """Compare the top eigenvalue of a set's row correlations with random sets of equal size and like neurons.

    Choose the set on other data than what is claimed about it (half A). A set chosen by influence is aligned with
    the gradient of the loss by construction: give the mean gradient of each stratum in ``directions``.

    Parameters
    ----------
    rows : array_like, shape (neuron, d_model)
        W_in or W_out, one row per neuron.
    chosen : array_like of int, shape (g,)
        Distinct neurons, 2 <= g <= neurons / 2.
    covariates : array_like, shape (neuron, covariate)
        Matched by decile: norm of W_in, norm of W_out, activation variance.
    rng : numpy.random.Generator
        Draws the random sets.
    directions : array_like, shape (k, d_model), optional
        Directions projected out of every row before correlating.
    n_permutations : int
        Number of random sets; fewer than 999 are for simulations.

    Returns
    -------
    SetSpectrum

    Raises
    ------
    ValueError
        If shapes disagree, values are not finite, the set is too small or too large, or a row vanishes.

    Notes
    -----
    Cost about ``n_permutations * (g^2 d_model + 10 g^3)`` operations: 0.2 s at g = 33, d_model = 512.
    """
    members = np.asarray(chosen, dtype=np.int64)
    weights = np.asarray(rows, dtype=np.float64)
    if weights.ndim != 2 or len(weights) != len(np.asarray(covariates)):
        raise ValueError(
            f"rows of shape {weights.shape} and covariates of {len(np.asarray(covariates))} neurons differ"
        )
    if members.size < 2 or n_permutations < 1:
        raise ValueError(f"set of {members.size} neurons, {n_permutations} random sets; at least 2 and 1 are needed")
    unit = _unit_rows(weights, directions)
    drawn, gap = matched_sets(members, covariates, rng, n_sets=n_permutations)
    observed = _statistics(unit, members[None, :])[0]
    null = _statistics(unit, drawn)
    low, median, high = np.quantile(null[:, 0], QUANTILES)
    hill = [None if not np.isfinite(v) else float(v) for v in (observed[1], *_quantiles(null[:, 1]))]
    return SetSpectrum(
        n_set=int(members.size),
        top_eigenvalue=float(observed[0]),
        p_value=float((np.count_nonzero(null[:, 0] >= observed[0]) + 1) / (n_permutations + 1)),
        null_low=float(low),
        null_median=float(median),
        null_high=float(high),
        hill_index=hill[0],
        hill_null_low=hill[1],
        hill_null_median=hill[2],
        hill_null_high=hill[3],
        n_permutations=n_permutations,
        decile_gap=gap,
    )


def _quantiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    defined = values[np.isfinite(values)]
    return np.quantile(defined, QUANTILES) if defined.size else np.full(3, np.nan)


def _unit_rows(weights: NDArray[np.float64], directions: ArrayLike | None) -> NDArray[np.float64]:
    """Rows without their mean and without ``directions``, at unit length: their products are correlations."""
    width = weights.shape[1]
    span = [np.ones((1, width))]
    if directions is not None:
        extra = np.atleast_2d(np.asarray(directions, dtype=np.float64))
        if extra.shape[1] != width or not np.isfinite(extra).all():
            raise ValueError(f"directions of shape {extra.shape} must be finite and {width} wide, as the rows are")
        span.append(extra)
    stacked = np.concatenate(span)
    lengths = np.linalg.norm(stacked, axis=1, keepdims=True)
    _, sizes, basis = np.linalg.svd(stacked / np.where(lengths > 0, lengths, 1.0), full_matrices=False)
    basis = basis[sizes > 1e-10 * sizes[0]]  # parallel or zero directions span less than their number
    projected = weights - (weights @ basis.T) @ basis
    norm = np.linalg.norm(projected, axis=1, keepdims=True)
    empty = np.flatnonzero(~(norm[:, 0] > 1e-10 * np.linalg.norm(weights, axis=1)))
    if empty.size:
        raise ValueError(
            f"{empty.size} of {len(weights)} rows vanish or are not finite after projection, first {empty[0]}"
        )
    return projected / norm


def _statistics(unit: NDArray[np.float64], sets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Top eigenvalue and seed Hill index (NaN where undefined) per chosen, shape (n_sets, 2)."""
    tail = max(1, sets.shape[1] // 10)
    results = []
    for start in range(0, len(sets), _BATCH):
        rows = unit[sets[start : start + _BATCH]]
        flipped = rows.transpose(0, 2, 1)
        gram = rows @ flipped if rows.shape[1] <= rows.shape[2] else flipped @ rows
        values = np.linalg.eigvalsh(gram)
        # Below rounding an eigenvalue is zero, and the Hill index over it is not defined.
        threshold = values[:, -tail - 1] if values.shape[1] > tail else np.zeros(len(values))
        threshold = np.where(threshold > 1e-12 * values[:, -1], threshold, np.nan)
        excess = np.log(values[:, -tail:] / threshold[:, None]).sum(axis=1)
        results.append(np.stack([values[:, -1], tail / np.where(excess > 0, excess, np.nan)], axis=1))
    return np.concatenate(results)
