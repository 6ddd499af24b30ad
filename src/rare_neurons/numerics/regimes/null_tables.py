"""Null tables of the regime statistic: smooth families whose null depends on the number of neurons and a shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from rare_neurons.columns import Column
from rare_neurons.numerics.regimes.statistic import cell_edges, cell_sums, fit_levels, scaled_differences

MIN_SPACINGS = 30
GAMMA_SHAPES = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, np.inf)
STUDENT_DOFS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
_LENGTH_RATIO = np.sqrt(2)  # between tabulated numbers of spacings, and of neurons
_MIN_NEURONS = 2 * MIN_SPACINGS + 2


@dataclass(frozen=True)
class NullTable:
    """Null distributions of T at ``n`` neurons; rows are (family, shape, number of spacings).

    ``family`` is ``generalised_gamma`` (shape k: 1/2 half-normal, 1 exponential and Weibull, infinity lognormal;
    T does not change under powers, so the second shape is immaterial), ``half_t`` (shape nu) or ``power_law``.
    ``statistic`` [row, draw] is sorted upwards. ``mean_spacing`` [row, cell] is the mean scaled log-spacing in the
    cells of the longest tabulated run, equal for all rows of one family and shape: shapes are fitted by it.
    """

    n: int
    family: NDArray[np.str_]
    shape: NDArray[np.float64]
    n_spacings: NDArray[np.int64]
    statistic: NDArray[np.float64]
    mean_spacing: NDArray[np.float64]


@dataclass(frozen=True)
class NullTableRow:
    """One null family and shape at one number of neurons and of spacings: a row of the table on disk."""

    n: Annotated[int, Column("neurons", "size of the simulated layer")]
    family: Annotated[str, Column(None, "null family")]
    shape: Annotated[float, Column(None, "shape parameter of the family")]
    n_spacings: Annotated[int, Column("ranks", "log-spacings above the noise floor")]
    statistic: Annotated[list[float], Column("log-likelihood", "list: sorted draws of the test statistic T")]
    mean_spacing: Annotated[list[float], Column(None, "list: mean scaled log-spacing per cell")]


def null_table_sizes(n_neurons: int) -> tuple[int, ...]:
    """Numbers of neurons to tabulate for a layer: all of them, and every sqrt(2) fewer for single signs, down to 62."""
    sizes, size = [], float(n_neurons)
    while round(size) >= _MIN_NEURONS:
        sizes.append(round(size))
        size /= _LENGTH_RATIO
    return tuple(sizes)


def regime_null_table(n: int, *, n_draws: int, seed: int) -> NullTable:
    """Simulate T at n neurons for every family and shape, at 30 to n // 2 spacings.

    Parameters
    ----------
    n : int
        At least 62.
    n_draws : int
        Samples per family and shape; 1,000 resolve p = 0.05 to 0.007.
    seed : int
        Every family and shape has its own stream, so that adding one leaves the others' numbers unchanged.

    Notes
    -----
    Cost: about 0.1 ms per draw, shape and number of spacings (20 shapes; 9 numbers of spacings at n = 1,000).
    """
    if n < _MIN_NEURONS:
        raise ValueError(f"n={n} neurons, but {MIN_SPACINGS} spacings above the median need {_MIN_NEURONS}")
    lengths = _lengths(n // 2)
    edges = cell_edges(lengths[-1])
    rows: list[tuple] = []
    for family, shape, rng in _families(n, seed):
        logs = np.sort(_draw_logs(family, shape, (n_draws, n), rng), axis=1)[:, ::-1]
        spacings = scaled_differences(logs[:, : lengths[-1] + 1])
        mean = cell_sums(spacings, edges).mean(axis=0) / np.diff(edges)
        rows += [(family, shape, m, np.sort(fit_levels(spacings[:, :m]).statistic), mean) for m in lengths]
    names, shapes, counts, statistics, means = zip(*rows, strict=True)
    return NullTable(n, np.array(names), np.array(shapes), np.array(counts), np.array(statistics), np.array(means))


def _families(n: int, seed: int) -> Iterator[tuple[str, float, np.random.Generator]]:
    for code, (family, shapes) in enumerate(
        (("generalised_gamma", GAMMA_SHAPES), ("half_t", STUDENT_DOFS), ("power_law", (np.nan,)))
    ):
        for shape in shapes:
            label = 0 if not np.isfinite(shape) else round(1000 * shape)
            yield family, shape, np.random.default_rng([seed, n, code, label])


def _draw_logs(family: str, shape: float, size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Logarithms of a sample, up to scale and power."""
    if family == "power_law":
        return rng.standard_exponential(size)
    if family == "half_t":
        return np.log(np.abs(rng.standard_t(shape, size)))
    if np.isinf(shape):
        return rng.standard_normal(size)
    # Values that underflow to zero lie far below the median for every tabulated shape; they only need an order.
    return np.log(np.maximum(rng.standard_gamma(shape, size), np.finfo(float).tiny))


def _lengths(longest: int) -> list[int]:
    lengths, length = [], float(longest)
    while round(length) > MIN_SPACINGS:
        lengths.append(round(length))
        length /= _LENGTH_RATIO
    return [MIN_SPACINGS, *lengths[::-1]]
