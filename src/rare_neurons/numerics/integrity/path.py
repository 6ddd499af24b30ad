"""Checkpoints off their run's path: detours of one or several, and values out of order."""

import numpy as np

# A weak run looks as much like a detour as the good checkpoints between it and its source; only clear ones count.
_RUN_FACTOR = 1.5
_WINDOW = 7  # neighbours on each side
_MIN_BESIDE = 3  # so that the median of one side outvotes one bad value
_MIN_POINTS = 4


def run_detours(distances: np.ndarray, length: int) -> np.ndarray:
    """Detour of each run of `length` adjacent checkpoints between the checkpoints around it.

    For a run i..j, ``ρ = (d(i−1, i) + d(j, j+1)) / d(i−1, j+1)``; length 1 is the detour (docs/methods/integrity.md).
    On a random walk of equal steps ρ = 2/√(length + 1), on a straight path less; large for weights from elsewhere.

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

    The run with the largest detour above `limit` (1.5 times that for more than one) is taken out and the search begins
    again, single checkpoints first, then longer runs. At the end a checkpoint whose detour among those that remain is
    within the limit comes back: it had stood between two bad ones.

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
        if ratio[first] <= (limit if length == 1 else _RUN_FACTOR * limit):
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


def order_z(value: np.ndarray, *, floor: float) -> np.ndarray:
    """How far each value of a rising sequence stands above what follows, or below what went before.

    ``above_i = y_i − median(next 7)``, ``below_i = median(previous 7) − y_i``; the larger of the two where positive,
    with the sign of the deviation, over the local noise: 1.4826 times the median |y_j − (y_{j−1} + y_{j+1})/2| around
    i, not below `floor`. A side of fewer than three is not asked. No shape is assumed, so neither a kink nor a gap
    raises an alarm, and a run of three bad values is a minority of seven.

    Parameters
    ----------
    value : ndarray, shape (n,)
        Finite; for instance ln(distance to the start), or minus ln(loss).
    floor : float
        Smallest noise, in units of `value`.

    Returns
    -------
    ndarray, shape (n,)
        0 where the order holds; NaN everywhere with fewer than four values.
    """
    n = len(value)
    if n < _MIN_POINTS:
        return np.full(n, np.nan)
    rough = np.abs(value[1:-1] - (value[:-2] + value[2:]) / 2)
    z = np.zeros(n)
    for i in range(n):
        noise = 1.4826 * float(np.median(rough[max(0, i - _WINDOW) : i + _WINDOW]))
        following, former = value[i + 1 : i + 1 + _WINDOW], value[max(0, i - _WINDOW) : i]
        above = value[i] - np.median(following) if len(following) >= _MIN_BESIDE else 0.0
        below = np.median(former) - value[i] if len(former) >= _MIN_BESIDE else 0.0
        z[i] = np.copysign(max(above, below, 0.0), above - below) / max(floor, noise)
    return z
