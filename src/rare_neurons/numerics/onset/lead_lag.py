"""Does one quantity move before another? Only what distinguishes the runs can tell, for two trends always agree."""

import itertools
import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LeadLag:
    """Cross-correlation of two quantities' increments over checkpoints, at the level of seeds.

    Parameters
    ----------
    status : {"ok", "not_identifiable"}
    reason : str | None
    lags : int array [lag]
        In checkpoints; at a positive lag the first quantity moves before the second.
    correlation : array [lag]
        Of the seeds' departures from their common increments, in [-1, 1].
    lag : int | None
        Where |correlation| is largest.
    low, high : int | None
        Range of that lag over resampled seeds at the confidence asked.
    p_value : float | None
        Of max |correlation| over lags, against seeds paired at random.
    leads : {"first", "second"} | None
        Only where p_value is at most the level and the range lies on one side of zero.
    n_seeds : int
    """

    status: str
    reason: str | None
    lags: np.ndarray
    correlation: np.ndarray
    lag: int | None
    low: int | None
    high: int | None
    p_value: float | None
    leads: str | None
    n_seeds: int


def lead_lag(first, second, *, max_lag, seed=0, level=0.05, confidence=0.9, draws=1999):
    """Lead or lag of `first` over `second` from the runs' differences.

    Two quantities that both change during training have correlated levels, and correlated increments too, because all
    runs change in the same phase. So the mean over seeds is taken from the increments at each step: what is left is
    whether a run that moved early in one moved early in the other. The null pairs the first quantity of one run with
    the second of another; the statistic is the largest |correlation| over lags, so that choosing the lag is paid for.

    Parameters
    ----------
    first, second : array [seed, step]
        At the same checkpoints; steps with a missing value in any run are left out.
    max_lag : int
        Largest lag in checkpoints.
    seed : int | numpy.random.Generator
    level, confidence : float
    draws : int
        Pairings drawn where there are more than 5,040, and resamples of seeds.

    Returns
    -------
    LeadLag
        "not_identifiable" if so few seeds have too few pairings for the level (four are needed at 5 %), or if the
        checkpoints are too few for the lags.

    Raises
    ------
    ValueError
        If shapes disagree or `max_lag` is negative.
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if first.ndim != 2 or first.shape != second.shape or max_lag < 0:
        shapes = f"first {first.shape} and second {second.shape}"
        raise ValueError(f"lead_lag: {shapes} must be [seed, step], and max_lag={max_lag} at least 0")
    keep = np.isfinite(first).all(axis=0) & np.isfinite(second).all(axis=0)
    lags, n_seeds = np.arange(-max_lag, max_lag + 1), len(first)
    moves = [np.diff(series[:, keep], axis=1) for series in (first, second)]
    lacking = _lacking(n_seeds, moves[0].shape[1], max_lag, level)
    if lacking:
        blank = np.full(lags.shape, np.nan)
        return LeadLag("not_identifiable", lacking, lags, blank, None, None, None, None, None, n_seeds)
    rng = np.random.default_rng(seed)
    products = _products(*(move - move.mean(axis=0) for move in moves), lags)
    diagonal = np.arange(n_seeds)
    correlation = products[:, diagonal, diagonal].sum(axis=1)
    null = [np.abs(products[:, diagonal, pairing].sum(axis=1)).max() for pairing in _pairings(n_seeds, draws, rng)]
    p_value = float(np.mean(np.array(null) >= np.abs(correlation).max() - 1e-12))
    low, high = _lag_range(moves, lags, draws, confidence, rng)
    leads = None
    if p_value <= level:
        leads = "first" if low > 0 else "second" if high < 0 else None
    lag = int(lags[np.argmax(np.abs(correlation))])
    return LeadLag("ok", None, lags, correlation, lag, low, high, p_value, leads, n_seeds)


def _lacking(n_seeds, n_moves, max_lag, level):
    needed = next(n for n in itertools.count(2) if 1 / math.factorial(n) <= level)
    if n_seeds < needed:
        return f"{n_seeds} seeds allow {math.factorial(n_seeds)} pairings; level {level:g} needs {needed} or more seeds"
    if n_moves < max_lag + 3:
        return f"{n_moves} increments between checkpoints, but lags up to {max_lag} need {max_lag + 3}"
    return None


def _products(first, second, lags):
    """Normalised lagged products [lag, seed of first, seed of second]; zero where a quantity never differs."""
    n_moves = first.shape[1]
    norm = np.sqrt((first**2).sum() * (second**2).sum())
    rows = [
        first[:, max(0, -lag) : n_moves - max(0, lag)] @ second[:, max(0, lag) : n_moves - max(0, -lag)].T
        for lag in lags
    ]
    return np.array(rows) / norm if norm > 0 else np.zeros((len(lags), len(first), len(second)))


def _pairings(n_seeds, draws, rng):
    if math.factorial(n_seeds) <= 5040:
        return [np.array(pairing) for pairing in itertools.permutations(range(n_seeds))]
    # The observed pairing is one of those possible.
    return [np.arange(n_seeds), *(rng.permutation(n_seeds) for _ in range(draws))]


def _lag_range(moves, lags, draws, confidence, rng):
    n_seeds = len(moves[0])
    best = []
    for _ in range(min(draws, 999)):
        drawn = rng.integers(0, n_seeds, n_seeds)
        if len(set(drawn.tolist())) == 1:
            continue
        products = _products(*(move[drawn] - move[drawn].mean(axis=0) for move in moves), lags)
        best.append(lags[np.argmax(np.abs(np.trace(products, axis1=1, axis2=2)))])
    tail = (1 - confidence) / 2
    return tuple(int(edge) for edge in np.quantile(best, [tail, 1 - tail], method="inverted_cdf"))
