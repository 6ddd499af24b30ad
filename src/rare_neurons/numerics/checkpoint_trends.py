"""Checkpoints off their run's path: detours of one or several, and values off their robust local trend."""

import numpy as np

_WINDOW = 6  # neighbours on each side: a run of three bad branches stays a minority of the twelve
_MIN_POINTS = 6  # fewer give no trend to be off
_SLOPE_CHANGE = 0.25  # relative sd of a slope beyond its neighbours: learning rates warm up and decay


def run_detours(distances: np.ndarray, length: int) -> np.ndarray:
    """Detour of each run of `length` adjacent checkpoints between the checkpoints around it.

    For a run i..j, ``ρ = (d(i−1, i) + d(j, j+1)) / d(i−1, j+1)``; length 1 is the detour of METHODS §5. On a random
    walk of equal steps ρ = 2/√(length + 1), on a straight path less; large for weights that belong elsewhere.

    Parameters
    ----------
    distances : ndarray, shape (n, n)
        Distances between distinct checkpoints, in the order of training.
    length : int
        Checkpoints per run.

    Returns
    -------
    ndarray, shape (n,)
        At the first checkpoint of each run; NaN where a run would touch an end of the sequence.
    """
    n = len(distances)
    ratio = np.full(n, np.nan)
    first = np.arange(1, n - length)
    last = first + length - 1
    around = distances[first - 1, last + 1]
    way = distances[first - 1, first] + distances[last, last + 1]
    ratio[first] = np.divide(way, around, out=np.full(len(first), np.inf), where=around > 0)
    return ratio


def find_detours(distances: np.ndarray, *, limit: float, max_run: int) -> dict[int, float]:
    """Checkpoints that lead the path away and back again, singly or in runs.

    The run with the largest detour above `limit` is taken out and the search begins again, single checkpoints first,
    then longer runs. At the end a checkpoint whose detour among those that remain is within the limit comes back: it
    had stood between two bad ones.

    Parameters
    ----------
    distances : ndarray, shape (n, n)
        Distances between distinct checkpoints, in the order of training.
    limit : float
        Largest detour that is believed.
    max_run : int
        Longest run looked for.

    Returns
    -------
    dict of int to float
        Detour of each checkpoint taken out.
    """
    kept = list(range(len(distances)))
    removed: dict[int, float] = {}
    length = 1
    while length <= min(max_run, len(kept) - 2):
        ratio = run_detours(distances[np.ix_(kept, kept)], length)
        first = int(np.nanargmax(ratio))
        if ratio[first] <= limit:
            length += 1
            continue
        run = kept[first : first + length]
        removed.update(dict.fromkeys(run, float(ratio[first])))
        kept = [index for index in kept if index not in run]
        length = 1
    for index in sorted(removed, key=lambda i: _detour_if_back(distances, kept, i)):
        if _detour_if_back(distances, kept, index) <= limit:
            kept = sorted([*kept, index])
            del removed[index]
    return removed


def _detour_if_back(distances: np.ndarray, kept: list[int], index: int) -> float:
    place = int(np.searchsorted(kept, index))
    before, after = kept[place - 1], kept[place]
    return float((distances[before, index] + distances[index, after]) / distances[before, after])


def trend_z(position: np.ndarray, value: np.ndarray, *, floor: float) -> np.ndarray:
    """Robust z of each value against the trend of its neighbours.

    The trend at i is a repeated-median line (Siegel 1982, breakdown point one half) through up to six neighbours on
    each side, i left out. The scale joins 1.4826 times the median absolute residual of those neighbours, not below
    `floor`, with the same spread of their slopes (at least a quarter of the slope) times the distance of i from their
    middle. So neither a kink of the
    curve nor an end, where the line is extrapolated, raises an alarm by itself.

    Parameters
    ----------
    position, value : ndarray, shape (n,)
        For instance ln(step) and ln(distance); finite, positions strictly increasing.
    floor : float
        Smallest scale, in units of `value`: what is not worth an alarm.

    Returns
    -------
    ndarray, shape (n,)
        NaN everywhere with fewer than six points.
    """
    n = len(value)
    z = np.full(n, np.nan)
    if n < _MIN_POINTS:
        return z
    for i in range(n):
        low, high = max(0, i - _WINDOW), min(n, i + _WINDOW + 1)
        near = np.r_[low:i, i + 1 : high]
        slope, level, slope_scale = _repeated_median_line(position[near], value[near])
        residual = value[near] - level - slope * position[near]
        reach = abs(position[i] - float(np.median(position[near])))
        slope_scale = max(slope_scale, _SLOPE_CHANGE * abs(slope))
        scale = np.hypot(max(floor, 1.4826 * float(np.median(np.abs(residual)))), slope_scale * reach)
        z[i] = (value[i] - level - slope * position[i]) / scale
    return z


def _repeated_median_line(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Slope, level, and robust standard deviation of the points' median slopes."""
    n = len(x)
    dx, dy = x[:, None] - x[None, :], y[:, None] - y[None, :]
    off_diagonal = ~np.eye(n, dtype=bool)
    slopes = np.median((dy[off_diagonal] / dx[off_diagonal]).reshape(n, n - 1), axis=1)
    slope = float(np.median(slopes))
    return slope, float(np.median(y - slope * x)), 1.4826 * float(np.median(np.abs(slopes - slope)))
