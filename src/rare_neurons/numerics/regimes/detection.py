"""Is there more in the ranked influence than one smooth family of values? The test and its composite null."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from rare_neurons.numerics.regimes.null_tables import MIN_SPACINGS, NullTable
from rare_neurons.numerics.regimes.null_tail import empirical_p, tail_p
from rare_neurons.numerics.regimes.statistic import (
    MIN_LEVEL,
    cell_edges,
    cell_sums,
    fit_levels,
    log_spacings,
    scaled_differences,
)

NOISE_SHARE = 0.1  # of the ranks above the noise floor: as many of them as noise alone may have put there
_MAX_TIED = 0.01  # share of spacings that may be exactly zero
_REACH = np.sqrt(2)  # a table serves numbers of neurons up to this factor away
_NAMED_SHAPES = {"half_normal": 0.5, "exponential_weibull": 1.0, "lognormal": np.inf}


@dataclass(frozen=True)
class RegimeTest:
    """Result of the detection test. Ranks are 1-based and inclusive.

    ``null_p`` is the largest of ``family_p``, ``null_family`` the family it comes from. ``statistic_z`` is T as a
    normal score of its least favourable null, whose upper tail is taken as exponential (`tail_p`). ``status`` is
    ``ok``, ``too_few`` (spacings above the noise floor), ``tied``, ``not_rising`` (no plateau, power law and decay in
    this order: p is 1) or ``no_null_table``; undefined entries are None.
    """

    n_neurons: int
    n_spacings: int
    statistic: float | None
    statistic_z: float | None
    plateau_end: int | None
    decay_start: int | None
    rank_exponent: float | None
    null_p: float | None
    null_family: str | None
    family_p: dict[str, float]
    status: str
    reason: str | None


def regime_test(
    values: ArrayLike,
    values_se: ArrayLike | None,
    null_tables: Sequence[NullTable],
    *,
    n_mixture_draws: int = 199,
    seed: int,
) -> RegimeTest:
    """Test three rising constant levels of the local rank exponent against seven smooth families.

    The scaled log-spacings of the ranks r <= n / 2 above the noise floor (`spacings_above_noise`) give T
    (`fit_levels`). ``null_p`` is the largest p over half-normal, exponential or Weibull, lognormal, one power law,
    half-t and generalised gamma with the shape fitted to the same spacings, and |normal| noise with the observed
    standard errors, each neuron its own. T is free of scale, and of powers in all families but the half-t and the
    scale mixture, so the first six need only tables.

    Parameters
    ----------
    values : array [neuron]
        |influence|, positive, any order.
    values_se : array [neuron] or None
        Standard errors in the same order. None sets no noise floor and leaves out the scale mixture.
    null_tables : sequence of NullTable
        From `regime_null_table`, at `null_table_sizes`; p is interpolated in ln n and ln n_spacings.
    n_mixture_draws : int
        Parametric draws for the scale mixture.
    seed : int

    Raises
    ------
    ValueError
        On shapes that differ, values that are not positive, or standard errors that are negative or not finite.

    Notes
    -----
    Cost at n = 2,048: about 40 ms, most of it the scale mixture.
    """
    x, se = _checked(values, values_se)
    n_spacings = spacings_above_noise(x, se)
    if n_spacings < MIN_SPACINGS:
        reason = f"{n_spacings} ranks of the upper half above the noise floor, but the test needs {MIN_SPACINGS}"
        return RegimeTest(len(x), n_spacings, *[None] * 7, {}, "too_few", reason)
    spacings = log_spacings(x, n_spacings)
    tied = np.count_nonzero(spacings == 0)
    if tied > min(_MAX_TIED * n_spacings, MIN_LEVEL - 1):  # a level of equal values alone has infinite likelihood
        reason = f"{tied} of {n_spacings} neighbouring values are equal; spacings of rounded values are no sample"
        return RegimeTest(len(x), n_spacings, *[None] * 7, {}, "tied", reason)
    fit = fit_levels(spacings)
    if np.isneginf(fit.statistic[0]):
        reason = f"no breakpoints make three rising levels of {n_spacings} spacings"
        return RegimeTest(len(x), n_spacings, *[None] * 5, 1.0, None, {}, "not_rising", reason)
    statistic = float(fit.statistic[0])
    regimes = int(fit.first[0]) + 1, int(fit.second[0]) + 1, float(fit.exponent[0])
    near = _bracket(null_tables, len(x))
    if not near:
        known = ", ".join(str(table.n) for table in null_tables) or "none"
        reason = f"no null table within a factor of 1.41 of {len(x)} neurons (tables at: {known})"
        return RegimeTest(len(x), n_spacings, statistic, None, *regimes, None, None, {}, "no_null_table", reason)
    found = _table_p(statistic, spacings, len(x), near)
    if se is not None and np.count_nonzero(se) > n_spacings:  # fewer noisy neurons cannot make as many values
        drawn = _mixture_null(se, n_spacings, n_mixture_draws, seed)
        found["scale_mixture"] = empirical_p(drawn, statistic), tail_p(drawn, statistic)
    family_p = {family: counted for family, (counted, _) in found.items()}
    worst, score = max(family_p, key=family_p.__getitem__), -ndtri(max(tail for _, tail in found.values()))
    return RegimeTest(
        len(x), n_spacings, statistic, float(score), *regimes, family_p[worst], worst, family_p, "ok", None
    )


def spacings_above_noise(values: NDArray, values_se: NDArray | None) -> int:
    """Count the ranks r <= n / 2 above the noise floor.

    The floor is the lowest value that at most a tenth as many neurons would exceed by noise alone, each with its own
    standard error, as do exceed it: ``sum_i 2 Phi(-x_(r+1)/se_i) <= (r + 1)/10``. Noise without effects has no such
    value. Looked for at the edges of the cells that breakpoints are searched over.
    """
    half = len(values) // 2
    if values_se is None or half == 0:
        return half
    edges = cell_edges(half)[1:]
    floors = np.sort(values)[::-1][edges]
    expected = 2 * ndtr(-floors[:, None] / values_se[values_se > 0]).sum(axis=1)
    above = edges[expected <= NOISE_SHARE * (edges + 1)]
    return int(above[-1]) if len(above) else 0


def _bracket(tables: Sequence[NullTable], n: int) -> list[tuple[NullTable, float]]:
    """Find the tables on either side of n with their weights in ln n; the nearer one alone at the ends."""
    near = sorted((t for t in tables if n / _REACH <= t.n * 1.001 and t.n <= n * _REACH * 1.001), key=lambda t: t.n)
    below = [t for t in near if t.n <= n][-1:]
    above = [t for t in near if t.n > n][:1]
    if below and above:
        weight = np.log(n / below[0].n) / np.log(above[0].n / below[0].n)
        return [(below[0], 1 - weight), (above[0], weight)]
    return [(table, 1.0) for table in below + above]


def _table_p(
    statistic: float, spacings: NDArray, n: int, near: list[tuple[NullTable, float]]
) -> dict[str, tuple[float, float]]:
    """P of each family: counted among its draws, and with an exponential tail."""
    nearest = max(near, key=lambda pair: pair[1])[0]
    shapes = {name: ("generalised_gamma", shape) for name, shape in _NAMED_SHAPES.items()}
    shapes["power_law"] = ("power_law", np.nan)
    for family in ("half_t", "generalised_gamma"):
        shapes[family] = (family, fit_shape(spacings, n, nearest, family))
    found = {}
    for name, (family, shape) in shapes.items():
        rows = [(_row_p(table, family, shape, len(spacings), statistic), weight) for table, weight in near]
        found[name] = tuple(sum(weight * p[kind] for p, weight in rows) for kind in (0, 1))
    return found


def fit_shape(spacings: NDArray, n: int, table: NullTable, family: str) -> float:
    """Find the tabulated shape under which the spacings are likeliest, taken as exponentials with the family's means.

    The generalised gamma is free in its power, so a common factor of the means is fitted with the shape.
    """
    longest = (table.family == family) & (table.n_spacings == table.n_spacings.max())
    edges = cell_edges(len(spacings))
    count, sums = np.diff(edges), cell_sums(spacings, edges)
    position = np.log((edges[:-1] + edges[1:] + 1) / 2 / n)
    cells = cell_edges(int(table.n_spacings.max()))
    grid = np.log((cells[:-1] + cells[1:] + 1) / 2 / table.n)
    likelihood = []
    for mean_spacing in table.mean_spacing[longest]:
        mean = np.exp(np.interp(position, grid, np.log(mean_spacing)))
        if family == "generalised_gamma":
            mean = mean * np.sum(sums / mean) / count.sum()
        likelihood.append(-np.sum(count * np.log(mean) + sums / mean))
    return float(table.shape[longest][int(np.argmax(likelihood))])


def _row_p(table: NullTable, family: str, shape: float, n_spacings: int, statistic: float) -> tuple[float, float]:
    """Both p of one family and shape, interpolated in ln n_spacings between tabulated numbers of spacings."""
    rows = np.flatnonzero((table.family == family) & (np.isnan(shape) | (table.shape == shape)))
    rows = rows[np.argsort(table.n_spacings[rows])]
    position, tabulated = np.log(n_spacings), np.log(table.n_spacings[rows])
    counted = [empirical_p(table.statistic[row], statistic) for row in rows]
    tails = [np.log(tail_p(table.statistic[row], statistic)) for row in rows]
    return float(np.interp(position, tabulated, counted)), float(np.exp(np.interp(position, tabulated, tails)))


def _mixture_null(se: NDArray, n_spacings: int, n_draws: int, seed: int) -> NDArray[np.float64]:
    """T [draw] of normal noise with these standard errors, sorted upwards."""
    rng = np.random.default_rng(seed)
    noise = np.abs(rng.standard_normal((n_draws, len(se)), dtype=np.float32) * se.astype(np.float32))
    noise.sort(axis=1)
    ranked = np.log(noise[:, : -n_spacings - 2 : -1].astype(float))
    return np.sort(fit_levels(scaled_differences(ranked)).statistic)


def _checked(values: ArrayLike, values_se: ArrayLike | None) -> tuple[NDArray, NDArray | None]:
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or not (np.isfinite(x).all() and (x > 0).all()):
        raise ValueError(f"values {x.shape} must be [neuron], positive and finite; drop zeros before testing")
    if values_se is None:
        return x, None
    se = np.asarray(values_se, dtype=float)
    if se.shape != x.shape or not (np.isfinite(se).all() and (se >= 0).all()):
        raise ValueError(f"values_se {se.shape} must match values {x.shape}, finite and not negative")
    return x, se
