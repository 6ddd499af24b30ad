"""Boole's rule along the straight line between two checkpoints, on intervals that are halved where needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Node = Fraction
"""Place on the line, exactly: 0 is the earlier checkpoint, 1 the later one."""

BOOLE = tuple(Fraction(k, 90) for k in (7, 32, 12, 32, 7))
"""Weights of five equally spaced nodes of an interval of length 1 (Abramowitz & Stegun 1964, 25.4.14)."""


@dataclass(frozen=True)
class Line:
    """The unit interval in parts, each with Boole's rule: exact for polynomials of degree 5.

    Attributes
    ----------
    intervals : tuple of (Fraction, Fraction)
        Start and end of each part, in order.

    Examples
    --------
    >>> [float(node) for node in Line().nodes]
    [0.0, 0.25, 0.5, 0.75, 1.0]
    >>> halved = Line().halved(0)
    >>> len(halved.intervals), len(halved.nodes)
    (2, 9)
    >>> round(float(sum(halved.weight(node) * node**5 for node in halved.nodes)), 12)
    0.166666666667
    """

    intervals: tuple[tuple[Node, Node], ...] = ((Fraction(0), Fraction(1)),)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All places at which the integrand is needed, in order."""
        return tuple(sorted({node for part in self.intervals for node in _nodes_of(part)}))

    def weight(self, node: Node) -> Fraction:
        """Weight of a node in the whole integral; zero for a place that is no node."""
        return sum((self._weight_in(part, node) for part in self.intervals), Fraction(0))

    def halved(self, index: int) -> Line:
        """Return the line with one of its parts replaced by its halves; all nodes of before remain nodes."""
        start, end = self.intervals[index]
        middle = (start + end) / 2
        return Line((*self.intervals[:index], (start, middle), (middle, end), *self.intervals[index + 1 :]))

    def integrals(self, values: Mapping[Node, Array]) -> Array:
        """Integral of each part.

        Parameters
        ----------
        values : mapping of Fraction to ndarray, shape (...)
            The integrand at each node.

        Returns
        -------
        ndarray, shape (interval, ...)
        """
        return np.stack(
            [sum(float(self._weight_in(part, x)) * values[x] for x in _nodes_of(part)) for part in self.intervals]
        )

    @staticmethod
    def _weight_in(part: tuple[Node, Node], node: Node) -> Fraction:
        start, end = part
        if not start <= node <= end:
            return Fraction(0)
        place = 4 * (node - start) / (end - start)
        return (end - start) * BOOLE[int(place)] if place.denominator == 1 else Fraction(0)


def next_halving(line: Line, *, losses: Mapping[Node, Array], slopes: Mapping[Node, Array], judged: Array) -> int:
    """Choose the part of a line whose own remainder is the largest, over the losses that are judged.

    The losses at the ends of a part are known from the nodes, so each part has a remainder of its own.

    Parameters
    ----------
    line : Line
    losses, slopes : mapping of Fraction to ndarray, shape (loss,)
        Each loss and its derivative along the line, by node.
    judged : ndarray of float, shape (loss,)
        What a loss counts: the inverse of its change where its remainder is too large, zero elsewhere.

    Returns
    -------
    int
    """
    changes = np.stack([losses[end] - losses[start] for start, end in line.intervals])
    remainders = np.abs(changes - line.integrals(slopes)) * np.abs(judged)
    return int(remainders.sum(1).argmax())


def path_correlation(one_line: Array, two_lines: Array) -> float | None:
    """Correlate over units the allocations along one line with those along two.

    An allocation describes a line between two checkpoints, not the optimiser's path between them. With a checkpoint in
    the middle there are two lines, nearer to that path; what correlates well does not hang on the difference.

    Parameters
    ----------
    one_line, two_lines : ndarray, shape (unit,)

    Returns
    -------
    float or None
        None where one side does not vary.
    """
    if len(one_line) < 2 or np.ptp(one_line) == 0 or np.ptp(two_lines) == 0:
        return None
    return float(np.corrcoef(one_line, two_lines)[0, 1])


def _nodes_of(part: tuple[Node, Node]) -> tuple[Node, ...]:
    start, end = part
    return tuple(start + (end - start) * k / 4 for k in range(5))
