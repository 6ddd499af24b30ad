"""The cross-fitted rank curve: one quadrant of the grid orders the neurons, the opposite one is read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.grid.pigeonhole import pigeonhole_weights, resampled_influence
from rare_neurons.numerics.grid.quadrants import opposite_quadrants, part_means
from rare_neurons.numerics.ranks import average_ranks

Array = NDArray[np.float64]

SIGNS = ("all", "boost", "suppress")
_PERFECT = 1 - 1e-12  # correlation beyond which Fisher's z is infinite in float64


@dataclass(frozen=True)
class RankCurve:
    """Log-binned, cross-fitted influence over rank; arrays are [bin], values in the unit of the influence (nats).

    ``rank_low`` and ``rank_high`` are 1-based and inclusive, ``rank_mid`` is their geometric mean. ``value`` has
    expectation zero at every rank when no neuron has an effect; it is negative where opposite quadrants disagree in
    sign. ``low`` and ``high`` are its interval over documents and token types. ``resampled`` [resample bin] holds the
    curve in resampled rows and columns; row i of two curves made with the same seed used the same draw.
    """

    sign: str
    n_neurons: int
    rank_low: NDArray[np.int64]
    rank_high: NDArray[np.int64]
    rank_mid: Array
    value: Array
    low: Array
    high: Array
    resampled: Array


@dataclass(frozen=True)
class Reliability:
    """Correlation over neurons between opposite quadrants; None where one of the four is constant."""

    n_neurons: int
    pearson: float | None
    spearman: float | None


def rank_curve(
    cells: CellSums,
    *,
    sign: str = "all",
    n_bins: int = 24,
    n_resamples: int = 200,
    confidence: float = 0.9,
    seed: int,
) -> RankCurve:
    """Order neurons by |influence| in one quadrant, read the signed influence in the opposite one, average.

    For each of the four quadrants as the ordering one, neurons are sorted by falling |influence_order| and
    ``sign(influence_order) * influence_read`` is averaged in log-spaced bins of rank; the four curves are averaged.
    Opposite quadrants share neither documents nor token types. Intervals are ``value ± t(D − 2) · se``, se from the
    pigeonhole bootstrap within the halves of rows and columns, widened by √(k/(k − 1)) for the k folds of a half: for
    the neurons so ordered, with the order held fixed.

    Parameters
    ----------
    cells : CellSums
    sign : {"all", "boost", "suppress"}
        Which neurons, judged by the *ordering* quadrant alone. The curve ends at the smallest of the four numbers.
    n_bins : int
        Log-spaced bins asked for; fewer are returned where bins would hold no rank.
    n_resamples : int
    confidence : float
        Coverage of ``low`` to ``high``, in (0, 1).
    seed : int

    Returns
    -------
    RankCurve

    Raises
    ------
    ValueError
        On a quadrant or a resample without targets, or fewer than two neurons of the asked sign in a quadrant.

    Notes
    -----
    Cost: one sort and one pass over the sums per quadrant; resampling acts on bins, not on neurons.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence}, but the coverage of an interval lies in (0, 1)")
    splits = opposite_quadrants(len(cells.counts))
    orders = [_order(influence, sign) for influence in quadrant_means(cells)[:, 0]]
    n = min(len(order) for order, _ in orders)
    if n < 2:
        raise ValueError(f"{n} neurons of sign '{sign}' in one quadrant, but a rank curve needs 2")
    low, high = log_bins(n, n_bins)
    readings = [
        CellSums(_bin_means(cells.sums[:, :, order[:n]] * signs[:n], low, high) * read[..., None], cells.counts * read)
        for (order, signs), (_, read) in zip(orders, splits, strict=True)
    ]
    value = np.mean([one.sums.sum((0, 1)) / one.counts.sum() for one in readings], axis=0)
    weights = pigeonhole_weights(n_resamples=n_resamples, seed=seed, n_folds=len(cells.counts), n_blocks=2)
    resampled = np.mean([resampled_influence(weights, one) for one in readings], axis=0)
    margin = _margin(resampled, len(cells.counts), confidence)
    return RankCurve(sign, n, low, high, np.sqrt(low * high), value, value - margin, value + margin, resampled)


def quadrant_means(cells: CellSums) -> Array:
    """Influence in opposite quadrants [split, half, neuron], in the order of `opposite_quadrants`."""
    return part_means(cells.by_neuron, cells.counts, opposite_quadrants(len(cells.counts)))


def split_half_reliability(halves: ArrayLike) -> Reliability:
    """Pearson and Spearman correlation over neurons between opposite quadrants, averaged as Fisher's z over splits.

    Parameters
    ----------
    halves : array_like, shape (split, 2, neuron)
        From `quadrant_means`. A quadrant has a quarter of the targets, so the whole panel is more reliable than this.

    Examples
    --------
    >>> split_half_reliability([[[1.0, 2.0, 4.0], [2.0, 4.0, 8.0]]]).spearman
    1.0
    """
    x = np.asarray(halves, dtype=np.float64)
    if x.ndim != 3 or x.shape[1] != 2:
        raise ValueError(f"halves of shape {x.shape}; they must be [split, 2, neuron]")
    n = x.shape[-1]
    if n < 3 or (np.ptp(x, axis=-1) == 0).any():
        return Reliability(n, None, None)
    return Reliability(n, _mean_correlation(x), _mean_correlation(average_ranks(x, axis=-1)))


def log_bins(n: int, n_bins: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last rank (1-based, inclusive) of at most ``n_bins`` log-spaced, non-empty bins over ranks 1 to n."""
    edges = np.unique(np.rint(np.geomspace(1, n + 1, n_bins + 1)).astype(np.int64))
    return edges[:-1], edges[1:] - 1


def n_of_sign(cells: CellSums, sign: str) -> int:
    """Neurons of a sign in the quadrant that has fewest: what a rank curve can order."""
    return min(len(_order(influence, sign)[0]) for influence in quadrant_means(cells)[:, 0])


def _margin(resampled: Array, n_folds: int, confidence: float) -> Array:
    """Half the width of a t interval; each half of the rows and columns estimates a mean of its own."""
    k = n_folds // 2
    error = resampled.std(axis=0, ddof=1) * np.sqrt(k / (k - 1))
    return stdtrit(n_folds - 2, (1 + confidence) / 2) * error


def _order(influence: Array, sign: str) -> tuple[NDArray, NDArray]:
    if sign not in SIGNS:
        raise ValueError(f"unknown sign '{sign}'; known: {', '.join(SIGNS)}")
    keep = {"all": np.ones(len(influence), bool), "boost": influence > 0, "suppress": influence < 0}[sign]
    chosen = np.flatnonzero(keep)
    order = chosen[np.argsort(-np.abs(influence[chosen]), kind="stable")]
    return order, np.sign(influence[order])


def _bin_means(ordered: NDArray, low: NDArray, high: NDArray) -> NDArray:
    return np.add.reduceat(ordered, low - 1, axis=-1) / (high - low + 1)


def _mean_correlation(halves: Array) -> float:
    found = [np.corrcoef(one, other)[0, 1] for one, other in halves]
    if min(found) > _PERFECT:
        return 1.0
    return float(np.tanh(np.mean(np.arctanh(np.clip(found, -_PERFECT, _PERFECT)))))
