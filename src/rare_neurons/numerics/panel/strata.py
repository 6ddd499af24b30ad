"""Strata: disjoint classes of token types by their training frequency (docs/methods/panel.md)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

NO_STRATUM = -1


@dataclass(frozen=True)
class ZipfElbow:
    """Where a Zipf curve breaks: the largest jump of its rolling slope in the lower half of the ranks.

    Attributes
    ----------
    rank_index : int
        0-based rank of the first type beyond the elbow.
    probability : float
        Probability of that type.
    n_beyond : int
        Seen types at or beyond it.
    """

    rank_index: int
    probability: float
    n_beyond: int


def assign_strata(counts: np.ndarray, rules: Mapping[str, Mapping[str, object]]) -> np.ndarray:
    """Give every token type its stratum.

    Seen types are ranked by falling count. A rule names an interval of one coordinate, closed below and open above:
    ``mass: [low, high]``, the share of all tokens that belong to strictly more frequent types; ``types: [low, high]``,
    the share of seen types that are strictly more frequent; ``elbow: beyond`` or ``elbow: before``, the Zipf elbow.
    Types with equal counts share all coordinates, so a stratum never depends on the order of token ids.

    Parameters
    ----------
    counts : ndarray of int, shape (vocab,)
        Training counts; 0 is "never seen", which has no stratum.
    rules : mapping
        Stratum name to its rule, in the order of the returned indices.

    Returns
    -------
    ndarray of int64, shape (vocab,)
        Index into the rules' names, or -1.

    Raises
    ------
    ValueError
        If two strata share a type, or a stratum is empty.
    """
    seen = np.flatnonzero(counts > 0)
    order = seen[np.argsort(-counts[seen], kind="stable")]
    ranked = counts[order].astype(np.int64)
    tie_start = np.searchsorted(-ranked, -ranked, side="left")
    mass_before = np.concatenate(([0], np.cumsum(ranked)))[tie_start]
    coordinates = {"mass": mass_before / ranked.sum(), "types": tie_start / ranked.size}
    strata = np.full(counts.shape, NO_STRATUM, dtype=np.int64)
    names = list(rules)
    for index, name in enumerate(names):
        members = order[_members(rules[name], coordinates, ranked)]
        if members.size == 0:
            raise ValueError(f"stratum {name!r} with rule {dict(rules[name])} holds none of {ranked.size} seen types")
        taken = strata[members] != NO_STRATUM
        if taken.any():
            other = names[strata[members[taken][0]]]
            raise ValueError(f"strata {other!r} and {name!r} share {int(taken.sum())} types; make their rules disjoint")
        strata[members] = index
    return strata


def _members(rule: Mapping[str, object], coordinates: Mapping[str, np.ndarray], ranked: np.ndarray) -> np.ndarray:
    ((kind, value),) = rule.items()
    if kind == "elbow":
        elbow = zipf_elbow(ranked).rank_index
        return np.arange(ranked.size) >= elbow if value == "beyond" else np.arange(ranked.size) < elbow
    low, high = value
    coordinate = coordinates[kind]
    return (coordinate >= low) & (coordinate < high)


def zipf_elbow(counts: np.ndarray, window: int = 2000) -> ZipfElbow:
    """Find the Zipf elbow as the seed studies do (docs/methods/panel.md).

    Rolling least-squares slope of ln p over ln rank in windows of `window` ranks; the elbow is the start of the window
    with the largest change of slope from one rank to the next, among the changes beyond mean + 3 sd in the lower half
    of the ranks.

    Parameters
    ----------
    counts : ndarray of int
        Counts of token types; zeros are left out.
    window : int
        Ranks in a window.

    Raises
    ------
    ValueError
        If there are fewer than two windows of ranks, or no change of slope stands out.
    """
    ranked = np.sort(counts[counts > 0])[::-1].astype(np.float64)
    if ranked.size < 2 * window:
        raise ValueError(
            f"{ranked.size} seen types, but an elbow needs 2 x window = {2 * window}; use a rule by mass or types"
        )
    log_p = np.log(ranked / ranked.sum())
    slope = _rolling_slope(np.log(np.arange(1, ranked.size + 1)), log_p, window)
    jump = np.abs(np.diff(slope))
    lower = np.arange(jump.size) >= ranked.size // 2
    beyond = lower & (jump > jump.mean() + 3 * jump.std())
    if not beyond.any():
        raise ValueError(
            "no change of the Zipf slope stands 3 sd out in the lower half of the ranks; use a rule by mass or types"
        )
    index = int(np.flatnonzero(beyond)[np.argmax(jump[beyond])]) + window
    index = min(index, ranked.size - 1)
    return ZipfElbow(index, float(ranked[index] / ranked.sum()), int(ranked.size - index))


def _rolling_slope(x: np.ndarray, y: np.ndarray, window: int) -> np.ndarray:
    # Centred beforehand: the windowed sums of squares would otherwise cancel to a few digits at high ranks.
    x, y = x - x[-1], y - y[-1]

    def sums(v: np.ndarray) -> np.ndarray:
        total = np.concatenate(([0.0], np.cumsum(v)))
        return total[window:] - total[:-window]

    sx, sy = sums(x), sums(y)
    return (window * sums(x * y) - sx * sy) / (window * sums(x * x) - sx**2)
