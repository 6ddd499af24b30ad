"""What the spectrum of a matrix without structure looks like: Marchenko-Pastur bulk and shuffled weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigvalsh

from rare_neurons.numerics.spectra.eigenvalues import check_finite, matrix_of

TRACY_WIDOM_95 = 0.9793
"""95 % quantile of the Tracy-Widom law of order 1 (Johnstone 2001, table 1)."""

LOW_START = 0.1
"""Quantile from which the edge is found a second time: it lies in the bulk unless some nine in ten are spikes."""

_GRID = 2001  # points of the quadrature of the bulk's distribution: its median is then good to 1e-5
_NOISE_32 = 16 * float(np.finfo(np.float32).eps)
_ROUNDS = 50  # the number of spikes moves one way from round to round, in practice for fewer than ten


@dataclass(frozen=True, slots=True)
class BulkEdge:
    """Upper edge of the random bulk; the numbers are ``None`` unless ``status`` is ``"ok"``.

    Attributes
    ----------
    edge : float or None
    n_spikes : int or None
        Eigenvalues beyond it.
    status : str
        ``ok``, ``no_bulk`` (the median eigenvalue is zero) or ``mostly_spikes`` (more than half would be spikes: the
        median is then no part of the bulk).
    """

    edge: float | None
    n_spikes: int | None
    status: str


def marchenko_pastur_quantile(ratio: float, probability: float) -> float:
    """Quantile of the Marchenko-Pastur law with unit variance and ``ratio`` = short / long side, in (0, 1].

    With ``x = 1 + ratio + 2 sqrt(ratio) cos t`` the density is ``(2 / pi) sin(t)^2 / x`` on ``0 < t < pi``, smooth at
    both edges, and is integrated by the trapezoid rule.

    Raises
    ------
    ValueError
        If ``ratio`` is outside (0, 1].

    Examples
    --------
    >>> round(marchenko_pastur_quantile(1.0, 0.5), 4)  # 4 times the squared median of the quarter-circle law
    0.6528
    """
    if not 0 < ratio <= 1:
        raise ValueError(f"ratio={ratio}, but short over long side lies in (0, 1]")
    t = (np.arange(_GRID - 1) + 0.5) * (np.pi / (_GRID - 1))
    x = 1 + ratio + 2 * np.sqrt(ratio) * np.cos(t)
    mass = 2 / np.pi * np.sin(t) ** 2 / x * (np.pi / (_GRID - 1))
    above = np.cumsum(mass)
    edges = 1 + ratio + 2 * np.sqrt(ratio) * np.cos((np.arange(1, _GRID)) * (np.pi / (_GRID - 1)))
    return float(np.interp(1 - probability, above, edges))


def marchenko_pastur_edge(values: ArrayLike, shape: tuple[int, int]) -> BulkEdge:
    """Upper edge of the random bulk and the number of eigenvalues beyond it.

    The edge is ``sigma^2 (sqrt(rows) + sqrt(cols))^2``. A spike lies above the 95 % quantile of the largest eigenvalue
    of a random matrix of this shape (Johnstone 2001), hence 5 % of the random matrices show one. The variance of an
    entry is first taken from the median eigenvalue, which spikes hardly move (Gavish & Donoho 2014), then from the sum
    of the eigenvalues that are no spikes, which scatters less, until their number stands still.

    The median must not be a spike itself. The same rounds therefore start a second time from the lowest tenth; where
    either ends with more than half of the eigenvalues as spikes, there is a status and no edge.

    Parameters
    ----------
    values : array_like, shape (min(rows, cols),)
        Eigenvalues of WᵀW, all of them.
    shape : (int, int)
        Of W.

    Returns
    -------
    BulkEdge

    Raises
    ------
    ValueError
        If the number of eigenvalues is not ``min(rows, cols)``.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    rows, cols = shape
    short = min(shape)
    if x.size != short:
        raise ValueError(f"{x.size} eigenvalues of a {rows} x {cols} matrix, but the edge needs all {short}")
    if np.median(x) <= 0:
        return BulkEdge(None, None, "no_bulk")
    ratio, long = short / max(shape), max(shape)
    variance, spikes = _bulk(x, long, np.median(x) / (long * marchenko_pastur_quantile(ratio, 0.5)))
    # Exact zeros are a lack of rank, not the bottom of a bulk.
    low = np.quantile(x[x > 0], LOW_START) / (long * marchenko_pastur_quantile(ratio, LOW_START))
    if max(spikes, _bulk(x, long, low)[1]) > short / 2:
        return BulkEdge(None, None, "mostly_spikes")
    return BulkEdge(float(variance * (np.sqrt(rows) + np.sqrt(cols)) ** 2), spikes, "ok")


def _bulk(x: NDArray[np.float64], long: int, variance: float) -> tuple[float, int]:
    """Variance of an entry and number of spikes from a first guess of the variance; x ascending."""
    short = x.size
    # Johnstone 2001, eq. 1.3 and 1.4: centre and scale of the largest eigenvalue of a white Wishart matrix.
    root = np.sqrt(max(long - 1, 1))
    scale = (root + np.sqrt(short)) * (1 / root + 1 / np.sqrt(short)) ** (1 / 3)
    threshold = (root + np.sqrt(short)) ** 2 + TRACY_WIDOM_95 * scale
    spikes = -1
    for _ in range(_ROUNDS):
        previous, spikes = spikes, int(np.count_nonzero(x > variance * threshold))
        if spikes in (previous, short):  # all of them: no bulk is left to take a variance from
            break
        # k spikes leave a bulk of (rows - k) x (cols - k) independent entries.
        variance = x[: short - spikes].sum() / ((long - spikes) * (short - spikes))
    return float(variance), spikes


def shuffled_eigenvalues(
    matrix: ArrayLike, rng: np.random.Generator, *, shuffles: int
) -> Iterator[NDArray[np.float64]]:
    """Eigenvalues of WᵀW after all entries of W were permuted, ``shuffles`` times.

    The permuted matrix keeps the distribution of the weights and loses their arrangement. Each copy is a draw from a
    null: it is computed in float32, whose error of some 1e-7 of the largest eigenvalue is far below the scatter of the
    draws; values below 2e-6 of the largest, which float32 cannot tell from zero, are 0.

    Raises
    ------
    ValueError
        If ``matrix`` is not a finite matrix.
    """
    weights = matrix_of(matrix)
    if not shuffles:
        return
    check_finite(weights)
    wide = weights.astype(np.promote_types(weights.dtype, np.float32), copy=False)
    # A power of two changes no digit; with the largest entry near 1 no square that counts leaves float32's range.
    exponent = int(np.frexp(np.abs(wide).max())[1])
    entries = np.ascontiguousarray(np.ldexp(wide, -exponent), dtype=np.float32)
    for _ in range(shuffles):
        copy = _shuffle(entries, rng)
        tall = copy if copy.shape[0] >= copy.shape[1] else copy.T
        values = eigvalsh(tall.T @ tall, driver="evd", overwrite_a=True, check_finite=False).astype(np.float64)
        values[values < _NOISE_32 * values[-1]] = 0.0
        yield np.ldexp(values, 2 * exponent)


def _shuffle(entries: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Permute all entries: sorted by 32 random bits each, half the time of exchanging them one by one.

    Entries that draw the same bits (2e-4 of them in a million) keep the order of their values among themselves.
    """
    keys = rng.bit_generator.random_raw(entries.size)
    keys &= np.uint64(0xFFFFFFFF00000000)
    keys |= entries.reshape(-1).view(np.uint32)
    keys.sort()
    return keys.astype(np.uint32).view(np.float32).reshape(entries.shape)
