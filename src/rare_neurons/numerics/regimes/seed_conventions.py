"""How the seed papers read regimes off a ranked curve; kept for replication beside our own definitions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.regimes.huber import HuberRegimes, fit_huber_regimes

PLATEAU_LOG_RANK = 3.5  # seed code: ln r below this is called plateau
DECAY_LOG_RANK = 5.5  # seed code: ln r above this is called decay
FIT_LOG_RANK = (3.5, 4.5)  # seed code: the window of the power-law fit
_MIN_POINTS = 3


@dataclass(frozen=True)
class SeedFit:
    """A seed convention's regimes: 1-based ranks, ``rank_exponent`` = minus the slope, ``r_squared`` of its fit."""

    plateau_end: int
    decay_start: int
    rank_exponent: float
    r_squared: float


def fit_fixed_cuts(values: ArrayLike) -> SeedFit:
    """Regimes cut at ln r = 3.5 and 5.5, whatever the values; exponent by least squares on 3.5 <= ln r <= 4.5.

    The cuts are ranks 33 and 245 at every number of neurons, so the "regimes" are no result; ``r_squared`` is that
    of the straight line within the window.

    Parameters
    ----------
    values : array [neuron]
        Positive |influence|, any order.

    Raises
    ------
    ValueError
        When fewer than 3 ranks lie in the window (n < 37) or a value is not positive.
    """
    ranked = rank_values(values)
    log_rank = np.log(np.arange(1, len(ranked) + 1))
    window = (log_rank >= FIT_LOG_RANK[0]) & (log_rank <= FIT_LOG_RANK[1])
    if window.sum() < _MIN_POINTS:
        raise ValueError(
            f"{len(ranked)} values leave {window.sum()} ranks in the window 3.5 <= ln r <= 4.5, but a line needs 3"
        )
    x, y = log_rank[window], np.log(ranked[window])
    dx, dy = x - x.mean(), y - y.mean()
    slope = (dx @ dy) / (dx @ dx)
    total = dy @ dy
    r_squared = float(1 - np.sum((dy - slope * dx) ** 2) / total) if total else float("nan")
    plateau_end, decay_start = int(np.exp(PLATEAU_LOG_RANK)), int(np.exp(DECAY_LOG_RANK)) + 1
    return SeedFit(plateau_end, decay_start, float(-slope), r_squared)


def fit_huber_form(values: ArrayLike) -> SeedFit:
    """Fit the seeds' three-regime form by penalised Huber regression; see `fit_huber_regimes` for the objective.

    The last rank is left out: the form is minus infinity there.
    """
    fit: HuberRegimes = fit_huber_regimes(np.log(rank_values(values)))
    return SeedFit(fit.plateau_end, fit.decay_start, -fit.coefficients[3], fit.r_squared)


def rank_values(values: ArrayLike) -> NDArray[np.float64]:
    """Positive values in falling order; raises ValueError naming how many are not positive and finite."""
    x = np.asarray(values, dtype=float)
    bad = np.count_nonzero(~(np.isfinite(x) & (x > 0)))
    if x.ndim != 1 or bad:
        raise ValueError(f"{bad} of {x.size} values are not positive and finite; drop them before ranking")
    return np.sort(x)[::-1]
