"""Evidence: a statistic with its interval, in one form for contexts and for seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student


@dataclass(frozen=True)
class Evidence:
    """A statistic with its interval, in the same units for the run and for its controls.

    Parameters
    ----------
    estimate, low, high : float
        The interval at the confidence that all evidence of one claim shares, 90 % by default in this project.
    seeds : int
        Independent training runs behind it; at least 1.

    Raises
    ------
    ValueError
        Without a run, or with an interval that ends before it begins.
    """

    estimate: float
    low: float
    high: float
    seeds: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no interval."""
        if self.seeds < 1:
            raise ValueError(f"evidence needs at least 1 run, got seeds={self.seeds}")
        if not self.missing and self.low > self.high:
            raise ValueError(f"evidence: low={self.low:g} is above high={self.high:g}; swap them")

    @property
    def missing(self) -> bool:
        """Whether the estimate or a side of the interval is not finite."""
        return not all(map(math.isfinite, (self.estimate, self.low, self.high)))


def over_seeds(values: Sequence[float], confidence: float) -> Evidence | None:
    """Mean over runs with Student's interval; one run has none and is a point, no run is no evidence.

    ``mean ± t((1 + confidence) / 2, n - 1) sd / sqrt(n)``, the run being the sample.

    Parameters
    ----------
    values : sequence of float [run]
    confidence : float
        Coverage of the interval, in (0, 1).

    Examples
    --------
    >>> over_seeds([2.0], 0.9)
    Evidence(estimate=2.0, low=2.0, high=2.0, seeds=1)
    """
    if not values:
        return None
    mean, n = float(np.mean(values)), len(values)
    half = 0.0 if n == 1 else float(student.ppf((1 + confidence) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return Evidence(mean, mean - half, mean + half, n)


def ratio_over_seeds(values: ArrayLike, nulls: ArrayLike, confidence: float) -> Evidence | None:
    """`over_seeds` of each run's statistic over the median of its own null.

    Parameters
    ----------
    values, nulls : array [run]
    confidence : float
    """
    ratios = np.asarray(values, dtype=float) / np.asarray(nulls, dtype=float)
    return over_seeds(ratios.tolist(), confidence)


def change_since_start(values: Mapping[int, float]) -> float | None:
    """Value at the last step minus that at step 0; None where step 0 is missing.

    Parameters
    ----------
    values : mapping of int to float
        By step.
    """
    return values[max(values)] - values[0] if 0 in values else None


def no_change(seeds: int) -> Evidence:
    """Return what a change since the start amounts to at the start: exactly zero, by definition."""
    return Evidence(0.0, 0.0, 0.0, max(seeds, 1))
