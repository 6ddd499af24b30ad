"""Scaled log-spacings of ranked values and the statistic that asks them for three constant levels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

MIN_LEVEL = 5  # spacings per level: the likelihood of one or two spacings is unbounded
_CELL_GROWTH = 1.04  # cells are single ranks up to 37, then 4 % wide: breakpoints are searched over cell edges
_BATCH = 65_536  # samples times pairs of edges searched at once: arrays that stay in a core's cache
_NEWTON_STEPS = 60
_MAX_STEP = 2.0  # largest change of ln b in one Newton step


@dataclass(frozen=True)
class Levels:
    """Three-level fits of many samples; arrays are [sample].

    ``statistic`` is T, minus infinity (with meaningless breakpoints) where no levels rise; level one holds spacings 1
    to ``first``, level two up to ``second``; ``exponent`` is the mean of level two, the local rank exponent there.
    """

    statistic: NDArray[np.float64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    exponent: NDArray[np.float64]


def log_spacings(values: ArrayLike, n_spacings: int) -> NDArray[np.float64]:
    """Scaled log-spacings ``s_r = r (ln x_(r) - ln x_(r+1))`` of the largest values, r = 1 .. n_spacings.

    Their mean at r is the local rank exponent; under a power law they are independent exponentials with that mean
    (Rényi 1953).

    Parameters
    ----------
    values : array [..., neuron]
        Not negative; the n_spacings + 1 largest must be positive.
    n_spacings : int
        At most n - 1.

    Returns
    -------
    array [..., n_spacings]
    """
    x = np.asarray(values, dtype=float)
    if not 1 <= n_spacings < x.shape[-1]:
        raise ValueError(f"{n_spacings} spacings of {x.shape[-1]} values; 1 to n - 1 are defined")
    return scaled_differences(np.log(np.sort(x, axis=-1)[..., : -n_spacings - 2 : -1]))


def scaled_differences(ranked_logs: NDArray) -> NDArray[np.float64]:
    """``r (y_r - y_(r+1))`` of logarithms already in falling order."""
    return -np.diff(ranked_logs, axis=-1) * np.arange(1, ranked_logs.shape[-1])


def cell_edges(n_spacings: int) -> NDArray[np.int64]:
    """Spacings before each cell, and the total at the end: cells of one rank, wider by 4 % of the rank further on."""
    edges = [0]
    while edges[-1] < n_spacings:
        edges.append(max(edges[-1] + 1, int(edges[-1] * _CELL_GROWTH)))
    edges[-1] = n_spacings
    return np.array(edges)


def cell_sums(spacings: NDArray, edges: NDArray) -> NDArray[np.float64]:
    """Add up spacings [..., r] over cells [..., cell]."""
    return np.add.reduceat(spacings, edges[:-1], axis=-1)


def fit_levels(spacings: ArrayLike) -> Levels:
    """T and its breakpoints: three constant levels of the mean spacing against ln mean quadratic in ln rank.

    With independent spacings Exp(b)::

        T = max over r1 < r2 with b_1 < b_2 < b_3 of  -sum_k n_k (ln b_k + 1)
            - max over c of  -sum_r (ln b_c(r) + s_r / b_c(r)),
        ln b_c(r) = c_0 + c_1 ln r + c_2 (ln r)^2

    where b_k is the mean of level k, each of at least 5 spacings. Levels must rise (plateau, power law, decay): a flat
    stretch in the middle is no such regimes; T is minus infinity where no pair of breakpoints has rising levels. A
    smooth change of slope fits the second as well as the first; two abrupt ones do not. T does not change when the
    values are scaled or raised to a power.

    Parameters
    ----------
    spacings : array [sample, r]
        At least 15 per sample, none negative. Sums over cells of ranks (single up to rank 37, then 4 % wide) stand
        for the spacings: breakpoints are cell edges, ln r is the cell's mean.

    Raises
    ------
    ValueError
        For fewer than 15 spacings.
    RuntimeError
        When the quadratic fit does not converge.

    Notes
    -----
    Cost: about 60 microseconds per sample of 500 spacings.
    """
    s = np.atleast_2d(np.asarray(spacings, dtype=float))
    if s.shape[1] < 3 * MIN_LEVEL:
        raise ValueError(f"{s.shape[1]} spacings, but three levels need {3 * MIN_LEVEL}")
    edges = cell_edges(s.shape[1])
    sums = cell_sums(s, edges)
    quadratic = _fit_quadratic(sums, edges)
    likelihood, first, second, exponent = _search_levels(sums, edges)
    return Levels(likelihood - quadratic, first, second, exponent)


def _search_levels(sums: NDArray, edges: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    i, j = np.triu_indices(len(edges), 1)
    wide = (edges[i] >= MIN_LEVEL) & (edges[j] - edges[i] >= MIN_LEVEL) & (edges[-1] - edges[j] >= MIN_LEVEL)
    i, j = i[wide], j[wide]
    batch = max(1, _BATCH // len(i))
    parts = [_best_levels(sums[k : k + batch], edges, i, j) for k in range(0, len(sums), batch)]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def _best_levels(sums: NDArray, edges: NDArray, i: NDArray, j: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Largest likelihood over pairs of edges (i, j), the spacings before each, and the mean between them."""
    total = np.concatenate([np.zeros((len(sums), 1)), np.cumsum(sums, axis=1)], axis=1)
    before = _level_likelihood(total, edges)
    after = _level_likelihood(total[:, -1:] - total, edges[-1] - edges)
    between = np.take(total, j, axis=1) - np.take(total, i, axis=1)
    likelihood = _level_likelihood(between, edges[j] - edges[i])
    likelihood += np.take(before, i, axis=1)
    likelihood += np.take(after, j, axis=1)
    middle = between / (edges[j] - edges[i])
    rising = np.take(total[:, 1:-1] / edges[1:-1], i - 1, axis=1) < middle
    rising &= middle < np.take((total[:, -1:] - total[:, 1:-1]) / (edges[-1] - edges[1:-1]), j - 1, axis=1)
    likelihood[~rising] = -np.inf
    best = np.argmax(likelihood, axis=1)
    rows, first, second = np.arange(len(sums)), edges[i[best]], edges[j[best]]
    return likelihood[rows, best], first, second, middle[rows, best]


def _level_likelihood(total: NDArray, count: NDArray) -> NDArray:
    """Maximal exponential log-likelihood of ``count`` spacings with the given sum; zero for none."""
    log_count = np.log(np.maximum(count, 1))
    return count * (log_count - 1 - np.log(np.maximum(total, np.finfo(float).tiny)))


def _fit_quadratic(sums: NDArray, edges: NDArray) -> NDArray:
    """Maximal exponential log-likelihood [sample] with ln mean quadratic in ln rank (concave; Newton steps)."""
    count = np.diff(edges)
    log_rank = cell_sums(np.log(np.arange(1, edges[-1] + 1)), edges) / count
    basis, _ = np.linalg.qr(np.stack([np.ones_like(log_rank), log_rank, log_rank**2], axis=1))
    mean = sums / count
    coefficients = np.log(mean + 1e-3 * mean.mean(axis=1, keepdims=True)) @ basis
    for _ in range(_NEWTON_STEPS):
        ratio = sums * np.exp(-coefficients @ basis.T)
        hessian = np.einsum("dc,ci,cj->dij", ratio, basis, basis, optimize=True)
        step = np.linalg.solve(hessian, ((ratio - count) @ basis)[:, :, None])[:, :, 0]
        size = np.abs(step @ basis.T).max(axis=1, keepdims=True)
        coefficients = coefficients + step * np.minimum(1, _MAX_STEP / np.maximum(size, _MAX_STEP))
        if size.max() < 1e-7:
            log_mean = coefficients @ basis.T
            return -np.sum(count * log_mean + sums * np.exp(-log_mean), axis=1)
    raise RuntimeError(f"quadratic fit of ln mean spacing did not converge in {_NEWTON_STEPS} Newton steps")
