"""All pairs of breakpoints of the seed papers' three-regime form, compared by prefix sums and branch and bound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TAU = 1.0  # Huber threshold, nats
CONTINUITY_PENALTY = 1.0
D_PENALTY = 0.1
MIN_POINTS = 3  # ranks per regime
_SINGULAR = 1e-12  # determinant of a piece's normal equations at or below which it has no unique minimum
_WIDTHS = (64, 16, 4, 1)  # block sizes of the search over pairs of breakpoints
_GRID = 48  # coarse candidates per breakpoint, whose best pair prunes the search over all


@dataclass(frozen=True)
class Curve:
    """Abscissa ln r, the transformed abscissa ln(ln N - ln r) of the third piece, and ln value; all [rank - 1]."""

    x: NDArray
    g: NDArray
    y: NDArray


@dataclass(frozen=True)
class _Sums:
    """Quadratic form 1/2 t'Gt - b't + c of a piece with basis (1, z): G = [[n, s], [s, q]], b = (u, v).

    ``parts`` [6, ...] holds n, s, q, u, v, c.
    """

    parts: NDArray

    @classmethod
    def of(cls, z: NDArray, y: NDArray, outlying: NDArray) -> "_Sums":
        """Prefix sums over ranks; a rank beyond tau enters by the tangent tau |r| - tau^2 / 2 of its side."""
        inner = outlying == 0
        pull = np.where(inner, y, TAU * outlying)
        constant = np.where(inner, y * y / 2, TAU * outlying * y - TAU**2 / 2)
        parts = np.stack([inner * 1.0, inner * z, inner * z * z, pull, pull * z, constant])
        return cls(np.concatenate([np.zeros((6, 1)), np.cumsum(parts, axis=1)], axis=1))

    def between(self, after: NDArray | int, upto: NDArray | int) -> "_Sums":
        after, upto = (np.atleast_1d(np.asarray(index)) for index in (after, upto))
        return _Sums(np.take(self.parts, upto, axis=1) - np.take(self.parts, after, axis=1))

    def where(self, keep: NDArray) -> "_Sums":
        return _Sums(np.compress(keep, self.parts, axis=1))

    def minimum(self, ridge: float = 0.0) -> tuple[NDArray, NDArray]:
        """Value at the minimum (infinite without a unique one), and the determinant of G."""
        n, s, q, u, v, c = self.parts
        q = q + ridge
        determinant = n * q - s * s
        singular = determinant <= _SINGULAR
        gain = (q * u * u - 2 * s * u * v + n * v * v) / np.where(singular, 1.0, 2 * determinant)
        return np.where(singular, np.inf, c - gain), determinant

    def predict(self, at: NDArray, ridge: float = 0.0) -> NDArray:
        n, s, q, u, v, _ = self.parts
        q = q + ridge
        return (q * u - s * v + at * (n * v - s * u)) / (n * q - s * s)

    def covariance(self, at: NDArray, to: NDArray, ridge: float = 0.0) -> NDArray:
        n, s, q, *_ = self.parts
        q = q + ridge
        return (q - s * (at + to) + n * at * to) / (n * q - s * s)


def best_pair(curve: Curve, outlying: NDArray, near: tuple[int, int] | None = None) -> tuple[int, int]:
    """Find the pair with the smallest quadratic objective for a given set of ranks beyond tau.

    The search is bounded by the objective at ``near``, or by the best of a coarse grid; the result is the same.
    """
    n, search = len(curve.x), _PairSearch(curve, outlying)
    if near is None:
        ranks = np.unique(np.geomspace(MIN_POINTS, n - MIN_POINTS, _GRID).astype(int))
        i, j = (index.ravel() for index in np.meshgrid(ranks, ranks, indexing="ij"))
        apart = j - i >= MIN_POINTS
        i, j = i[apart], j[apart]
    else:
        i, j = (np.array([rank]) for rank in near)
    value, pair = search.best(i, j)
    i, j = _around(pair, n)
    value, pair = min((value, pair), search.best(i, j))
    i, j = search.below(value)
    finer, finer_pair = search.best(i, j) if len(i) else (np.inf, pair)
    return finer_pair if finer < value else pair


def _around(pair: tuple[int, int], n: int) -> tuple[NDArray, NDArray]:
    """Pairs within an eighth of the ranks of a given one, for a tighter bound than the coarse grid's."""
    offsets = np.linspace(-1 / 8, 1 / 8, _GRID // 2 + 1)
    near = [np.unique((rank * (1 + offsets)).astype(int)) for rank in pair]
    i, j = (index.ravel() for index in np.meshgrid(*near, indexing="ij"))
    apart = (i >= MIN_POINTS) & (j - i >= MIN_POINTS) & (j <= n - MIN_POINTS)
    return i[apart], j[apart]


class _PairSearch:
    """Prefix sums of one curve and set of outlying ranks, and the quadratic objective at any pairs of breakpoints."""

    def __init__(self, curve: Curve, outlying: NDArray) -> None:
        self.curve, self.n, ridge = curve, len(curve.x), 2 * D_PENALTY
        self.line = _Sums.of(curve.x, curve.y, outlying)
        self.bent = _Sums.of(curve.g, curve.y, outlying)
        every = np.arange(self.n + 1)
        self.first = self.line.between(0, every).minimum()[0]
        self.beyond = np.concatenate([[0], np.cumsum(outlying != 0)])
        self.third = self.bent.between(every, self.n).minimum(ridge)[0]

    def below(self, bound: float) -> tuple[NDArray, NDArray]:
        """Pairs whose minimum without continuity penalty is below ``bound``: all others cannot be best.

        Branch and bound: blocks of pairs are split while the smallest first and third part in the block, and the
        middle part over the ranks common to all its pairs, do not exceed the bound.
        """
        i, j = np.triu_indices(self.n // _WIDTHS[0] + 1)
        for level, width in enumerate(_WIDTHS):
            if level:
                i, j = _split(i, j, _WIDTHS[level - 1] // width)
            keep = self._block_bound(i, j, width) < bound
            i, j = i[keep], j[keep]
        return i, j

    def _block_bound(self, block_i: NDArray, block_j: NDArray, width: int) -> NDArray:
        """Lower bound over the pairs of each block; infinite for blocks without an admissible pair."""
        low_i, high_i = self._range(block_i, width, MIN_POINTS, self.n - 2 * MIN_POINTS)
        low_j, high_j = self._range(block_j, width, 2 * MIN_POINTS, self.n - MIN_POINTS)
        after, upto = np.minimum(high_i, self.n), np.maximum(np.minimum(low_j, self.n), high_i)
        middle, determinant = self.line.between(after, upto).minimum()
        if width > 1:  # a core too short for a line bounds nothing; a single pair with such a middle is inadmissible
            middle = np.where(determinant > _SINGULAR, middle, 0.0)
        # A rank beyond tau at the edge of the block may lower its tangent by at most tau^2 / 2.
        fringe = (self.beyond[high_i] - self.beyond[low_i]) + (self.beyond[high_j] - self.beyond[low_j])
        total = _block_min(self.first, width)[block_i] + middle + _block_min(self.third, width)[block_j]
        admissible = (low_i <= high_i) & (low_j <= high_j) & (high_j - low_i >= MIN_POINTS)
        return np.where(admissible, total - fringe * TAU**2 / 2, np.inf)

    def _range(self, block: NDArray, width: int, least: int, most: int) -> tuple[NDArray, NDArray]:
        low, high = np.maximum(block * width, least), np.minimum(block * width + width - 1, most)
        return np.minimum(low, self.n), high

    def best(self, i: NDArray, j: NDArray) -> tuple[float, tuple[int, int]]:
        """Smallest objective with the continuity penalty, and its pair."""
        x, g, ridge = self.curve.x, self.curve.g, 2 * D_PENALTY
        one, two, three = self.line.between(0, i), self.line.between(i, j), self.bent.between(j, self.n)
        base = self.first[i] + two.minimum()[0] + self.third[j]
        ok = np.isfinite(base)
        if not ok.any():
            return np.inf, (int(i[0]), int(j[0]))
        one, two, three = (part.where(ok) for part in (one, two, three))
        left, right, bent = x[i[ok] - 1], x[j[ok] - 1], g[j[ok] - 1]
        gap_1 = one.predict(left) - two.predict(left)
        gap_2 = two.predict(right) - three.predict(bent, ridge)
        weight = 2 * CONTINUITY_PENALTY
        m11 = 1 + weight * (one.covariance(left, left) + two.covariance(left, left))
        m22 = 1 + weight * (two.covariance(right, right) + three.covariance(bent, bent, ridge))
        m12 = -weight * two.covariance(left, right)
        penalty = (m22 * gap_1**2 - 2 * m12 * gap_1 * gap_2 + m11 * gap_2**2) / (m11 * m22 - m12**2)
        value = base[ok] + CONTINUITY_PENALTY * penalty
        k = int(np.argmin(value))
        return float(value[k]), (int(i[ok][k]), int(j[ok][k]))


def _split(i: NDArray, j: NDArray, parts: int) -> tuple[NDArray, NDArray]:
    step = np.arange(parts)
    rows = np.broadcast_to((i[:, None] * parts + step)[:, :, None], (len(i), parts, parts))
    columns = np.broadcast_to((j[:, None] * parts + step)[:, None, :], (len(j), parts, parts))
    return rows.ravel(), columns.ravel()


def _block_min(values: NDArray, width: int) -> NDArray:
    padded = np.full(-(-len(values) // _WIDTHS[0]) * _WIDTHS[0], np.inf)
    padded[: len(values)] = values
    return padded.reshape(-1, width).min(axis=1)
