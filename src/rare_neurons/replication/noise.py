"""What the seed conventions read from noise, and how far the choice of panel moves what they read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.leave_outs import LeaveOuts
from rare_neurons.numerics.grid.moments import mean_leave_outs
from rare_neurons.numerics.organisation.row_correlations import top_eigenvalues, unit_rows
from rare_neurons.numerics.regimes.seed_conventions import FIT_LOG_RANK, SeedFit, fit_fixed_cuts, fit_huber_form
from rare_neurons.numerics.regimes.segments import fit_segments
from rare_neurons.replication.statistics import BAND, quantile_band, ranked_over_median, shares

_PARAMETERS = {1: 2, 2: 4, 3: 6}  # of a continuous fit: intercept and slopes, and the knots


@dataclass(frozen=True)
class NoiseReading:
    """What one sample of half-normal noise looks like under the seed conventions.

    Attributes
    ----------
    fixed_cuts, huber : SeedFit
    segment_r_squared : tuple of float
        R² of one, two and three continuous straight pieces.
    n_segments : int
        How many of them BIC chooses.
    """

    fixed_cuts: SeedFit
    huber: SeedFit
    segment_r_squared: tuple[float, float, float]
    n_segments: int


def read_noise(n_neurons: int, *, n_draws: int, seed: int) -> list[NoiseReading]:
    """Read regimes off half-normal noise: |x| of independent standard normal neurons, the effect of none.

    Parameters
    ----------
    n_neurons : int
        At least 37, so that the fixed window holds a line.
    n_draws, seed : int

    Notes
    -----
    Cost: about 0.02 s per draw at 384 neurons.
    """
    rng = np.random.default_rng(seed)
    log_rank = np.log(np.arange(1, n_neurons + 1))
    readings = []
    for _ in range(n_draws):
        noise = np.abs(rng.standard_normal(n_neurons))
        ranked = np.log(np.sort(noise)[::-1])
        fits = tuple(fit_segments(log_rank, ranked, k).r_squared for k in _PARAMETERS)
        chosen = segments_by_bic(fits, n_neurons)
        readings.append(NoiseReading(fit_fixed_cuts(noise), fit_huber_form(noise), fits, chosen))
    return readings


def typical(readings: Sequence[NoiseReading], convention: str, column: str) -> float:
    """Return the median over readings of a column of a convention (a field of `NoiseReading` and of its `SeedFit`)."""
    return float(np.median([getattr(getattr(r, convention), column) for r in readings]))


def huber_shares(readings: Sequence[NoiseReading], n_neurons: int) -> NDArray[np.float64]:
    """Return the median shares of plateau, power law and decay under the Huber form."""
    fits = [r.huber for r in readings]
    parts = [shares(plateau_end=f.plateau_end, decay_start=f.decay_start, n=n_neurons) for f in fits]
    return np.median(parts, axis=0)


def fixed_shares(n_neurons: int) -> tuple[float, float, float]:
    """Return the shares that the fixed cuts give to noise of so many neurons, and to anything else."""
    fit = fit_fixed_cuts(np.abs(np.random.default_rng(0).standard_normal(n_neurons)))
    return shares(plateau_end=fit.plateau_end, decay_start=fit.decay_start, n=n_neurons)


@dataclass(frozen=True)
class NoiseBand:
    """Where half-normal noise lies with a coverage of 90 %.

    Attributes
    ----------
    low, high : array [neuron]
        Of |x| over its median, by rank.
    exponent_low, exponent_high : float
        Of the exponent in the fixed window.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    exponent_low: float
    exponent_high: float


def noise_band(n_neurons: int, *, n_draws: int, seed: int) -> NoiseBand:
    """Draw half-normal noise, and return where its ranked curve and the exponent of its fixed window lie.

    Parameters
    ----------
    n_neurons : int
        At least 37, so that the fixed window holds a line.
    n_draws, seed : int
    """
    drawn = np.random.default_rng(seed).standard_normal((n_draws, n_neurons))
    ranked = np.array([ranked_over_median(row) for row in drawn])
    ends = (BAND[0], BAND[-1])
    low, high = np.quantile(ranked, ends, axis=0)
    exponent_low, exponent_high = np.quantile(window_exponents(ranked), ends)
    return NoiseBand(low, high, float(exponent_low), float(exponent_high))


def window_exponents(ranked: ArrayLike) -> NDArray[np.float64]:
    """Return minus the least-squares slope in the fixed window of each row of ranked positive values [row rank]."""
    ranked = np.asarray(ranked, dtype=float)
    log_rank = np.log(np.arange(1, ranked.shape[1] + 1))
    window = (log_rank >= FIT_LOG_RANK[0]) & (log_rank <= FIT_LOG_RANK[1])
    centred = log_rank[window] - log_rank[window].mean()
    return -(np.log(ranked[:, window]) @ centred) / (centred @ centred)


def segments_by_bic(r_squared: ArrayLike, n_points: int) -> int:
    """Return the number of straight pieces (one, two or three) that BIC prefers.

    ``BIC_k = n ln(1 - R²_k) + p_k ln n`` up to a constant, with p = 2, 4, 6 parameters. It takes ranked values for
    independent ones, which they are not; that is the fault that it is computed here to show.

    Parameters
    ----------
    r_squared : array [3]
        Of one, two and three pieces over the same points.
    n_points : int

    Raises
    ------
    ValueError
        If there are not three values below 1.

    Examples
    --------
    >>> segments_by_bic([0.90, 0.99, 0.9900001], 384)
    2
    """
    r2 = np.asarray(r_squared, dtype=float)
    if r2.shape != (3,) or not (r2 < 1).all():
        raise ValueError(f"R² {r2.tolist()}; three values below 1 are needed, for one, two and three pieces")
    cost = n_points * np.log1p(-r2) + np.array(list(_PARAMETERS.values())) * np.log(n_points)
    return int(np.argmin(cost)) + 1


def window_exponent_se(cells: CellSums) -> float:
    """Return the standard error of the fixed window's exponent over documents and token types, by the jackknife.

    Parameters
    ----------
    cells : CellSums
        Of as many neurons as the fixed window needs.

    Notes
    -----
    Cost: one fit for every row, column and cell of the grid, 0.03 s at D = 12 and 256 neurons.
    """
    means = mean_leave_outs(cells.by_neuron, cells.counts)
    parts = (means.value, means.row, means.column, means.cell)
    return float(standard_error(LeaveOuts(*(np.apply_along_axis(_exponent, 0, part) for part in parts))))


def _exponent(influence: NDArray[np.float64]) -> float:
    return fit_fixed_cuts(np.abs(influence[influence != 0])).rank_exponent


def hill_without_structure(sizes: ArrayLike, *, width: int, n_rows: int, n_sets: int, seed: int) -> NDArray:
    """5, 50 and 95 % quantile of the seeds' Hill index over random sets of independent Gaussian rows, [size, 3].

    Parameters
    ----------
    sizes : array of int [size]
        Neurons in a set, each at least 2 and at most half of the rows.
    width, n_rows : int
        d_model, and the number of neurons.
    n_sets, seed : int
    """
    rng = np.random.default_rng(seed)
    unit = unit_rows(rng.standard_normal((n_rows, width)), None)
    bands = []
    for size in np.asarray(sizes, dtype=int):
        sets = np.array([rng.choice(n_rows, size, replace=False) for _ in range(n_sets)])
        bands.append(quantile_band(top_eigenvalues(unit, sets)[:, 1]))
    return np.array(bands)
