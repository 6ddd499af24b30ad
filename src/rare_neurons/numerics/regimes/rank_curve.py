"""The cross-fitted rank curve: one half of the contexts orders the neurons, the other half is read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from rare_neurons.numerics.panel.folds import HALF_A, HALF_B, FoldSums
from rare_neurons.numerics.panel.resampling import influence_of_half, resample_folds, resampled_influence

SIGNS = ("all", "boost", "suppress")


@dataclass(frozen=True)
class RankCurve:
    """Log-binned, cross-fitted influence over rank; arrays are [bin], values in the unit of the influence (nats).

    ``rank_low`` and ``rank_high`` are 1-based and inclusive, ``rank_mid`` is their geometric mean. ``value`` has
    expectation zero at every rank when no neuron has an effect; it is negative where the halves disagree in sign.
    ``resampled`` [resample bin] holds the values behind ``low`` and ``high``; row i of two curves made with the
    same seed and folds used the same draw of folds, so that differences of curves are joint resamples.
    """

    sign: str
    n_neurons: int
    rank_low: NDArray[np.int64]
    rank_high: NDArray[np.int64]
    rank_mid: NDArray[np.float64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    resampled: NDArray[np.float64]


@dataclass(frozen=True)
class Reliability:
    """Correlation over neurons of the influence in half A with that in half B; None where a half is constant."""

    n_neurons: int
    pearson: float | None
    spearman: float | None


def rank_curve(
    folds: FoldSums,
    *,
    sign: str = "all",
    n_bins: int = 24,
    n_resamples: int = 200,
    confidence: float = 0.9,
    seed: int,
) -> RankCurve:
    """Order neurons by |influence| in one half of the folds, read the signed influence in the other, swap, average.

    For each half as the ordering half, neurons are sorted by falling |influence_order| and
    ``sign(influence_order) * influence_read`` is averaged in log-spaced bins of rank; the two curves are averaged.
    Intervals resample whole folds with replacement within the reading half, with the order held fixed; sums and
    counts are resampled together (ratio estimate), and deviations are widened by sqrt(k / (k - 1)) for k folds.

    Parameters
    ----------
    folds : FoldSums
    sign : {"all", "boost", "suppress"}
        Which neurons, judged by the *ordering* half alone. The curve ends at the smaller of the two halves' numbers.
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
        On a half without targets or with fewer than two folds, fewer than two neurons of
        the asked sign, or values that are not finite.

    Notes
    -----
    The interval is conditional on the panel's token types: folds are contexts, and types recur across folds.
    Cost: one sort and one pass over the sums per half; resampling acts on bins, not on neurons.
    """
    _check_halves(folds)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence}, but the coverage of an interval lies in (0, 1)")
    orders = [_order(influence_of_half(folds, ordering), sign) for ordering in (HALF_A, HALF_B)]
    n = min(len(order) for order, _ in orders)
    if n < 2:
        raise ValueError(f"{n} neurons of sign '{sign}' in one half, but a rank curve needs 2")
    low, high = log_bins(n, n_bins)
    weights = resample_folds(folds.half, n_resamples=n_resamples, seed=seed)
    value = np.zeros(len(low))
    deviation = np.zeros((n_resamples, len(low)))
    for reading, (order, order_sign) in zip((HALF_B, HALF_A), orders, strict=True):
        mine = folds.half == reading
        sums, counts = folds.sums[mine], folds.counts[mine]
        binned = _bin_means(sums[:, order[:n]] * order_sign[:n], low, high)
        estimate = binned.sum(axis=0) / counts.sum()
        drawn = resampled_influence(weights[:, mine], binned, counts)
        value += estimate / 2
        deviation += (drawn - estimate) * np.sqrt(len(counts) / (len(counts) - 1)) / 2
    bounds = np.quantile(value + deviation, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return RankCurve(sign, n, low, high, np.sqrt(low * high), value, bounds[0], bounds[1], value + deviation)


def split_half_reliability(influence_a: ArrayLike, influence_b: ArrayLike) -> Reliability:
    """Pearson and Spearman correlation over neurons between the halves; None where a half has no variance."""
    a, b = np.asarray(influence_a, dtype=float), np.asarray(influence_b, dtype=float)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"halves of shapes {a.shape} and {b.shape}; both must be [neuron]")
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return Reliability(len(a), None, None)
    spearman = np.corrcoef(rankdata(a), rankdata(b))[0, 1]
    return Reliability(len(a), float(np.corrcoef(a, b)[0, 1]), float(spearman))


def log_bins(n: int, n_bins: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last rank (1-based, inclusive) of at most ``n_bins`` log-spaced, non-empty bins over ranks 1 to n."""
    edges = np.unique(np.rint(np.geomspace(1, n + 1, n_bins + 1)).astype(np.int64))
    return edges[:-1], edges[1:] - 1


def _order(influence: NDArray, sign: str) -> tuple[NDArray, NDArray]:
    if sign not in SIGNS:
        raise ValueError(f"unknown sign '{sign}'; known: {', '.join(SIGNS)}")
    keep = {"all": np.ones(len(influence), bool), "boost": influence > 0, "suppress": influence < 0}[sign]
    chosen = np.flatnonzero(keep)
    order = chosen[np.argsort(-np.abs(influence[chosen]), kind="stable")]
    return order, np.sign(influence[order])


def _bin_means(ordered: NDArray, low: NDArray, high: NDArray) -> NDArray:
    return np.add.reduceat(ordered, low - 1, axis=1) / (high - low + 1)


def _check_halves(folds: FoldSums) -> None:
    sums, counts = folds.sums, folds.counts
    if not np.isfinite(sums).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(sums))} of {sums.size} fold sums are not finite")
    for code, name in ((HALF_A, "A"), (HALF_B, "B")):
        mine = folds.half == code
        if mine.sum() < 2 or counts[mine].sum() <= 0:
            raise ValueError(
                f"half {name} has {mine.sum()} folds and {counts[mine].sum():.0f} targets; "
                "each half needs 2 folds and a target (half is 0 for A, 1 for B)"
            )
