"""Everything that is said of one layer and one loss, from sums and from the neurons that were ablated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .conformal import conformal_intervals
from .mean_square import mean_influence, mean_square
from .shrink import Shrunk
from .totals import layer_total

ERROR_LIMIT = 0.25
"""A layer whose random audited neurons err by more, in units of the layer's root mean square, has no numbers."""


@dataclass(frozen=True)
class Audited:
    """Neurons of a layer that were ablated exactly.

    Attributes
    ----------
    strongest, random : ndarray of int
        Which; the random ones are drawn from all but the strongest.
    exact : ndarray, shape (audited,)
        Mean change of the loss, first of the strongest, then of the random ones; nats per token.
    quadrants : ndarray, shape (half, fold, audited)
        Sums of the changes by half of the type bins and document fold, nats.
    """

    strongest: np.ndarray
    random: np.ndarray
    exact: np.ndarray
    quadrants: np.ndarray

    @property
    def neurons(self) -> np.ndarray:
        """All of them, in the order of `exact`."""
        return np.concatenate([self.strongest, self.random])


@dataclass(frozen=True)
class PartNumbers:
    """Numbers of one layer and loss; columns of `rows`. Arrays have an entry for each neuron, nats per token."""

    influence: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    conformal_factor: float
    error_share: float
    third_order_share: float
    total_influence: float
    total_low: float
    total_high: float
    mean_influence: float
    mean_influence_leave_outs: tuple[float, ...]
    mean_square: float | None
    mean_square_se: float | None
    mean_square_leave_outs: tuple[float, ...] | None

    @property
    def trusted(self) -> bool:
        """Whether the audit allows the estimates."""
        return self.error_share <= ERROR_LIMIT


def choose_audited(
    estimates: np.ndarray, *, n_top: int, n_random: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the strongest neurons of a layer, and others at random.

    Parameters
    ----------
    estimates : ndarray, shape (loss, neuron)
        The losses take turns in naming their strongest neuron that is not yet chosen.
    n_top, n_random : int
    rng : Generator
        Orders the neurons; the same order gives the same random ones but for those that are among the strongest.

    Returns
    -------
    strongest, random : ndarray of int

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> choose_audited(np.array([[3.0, 0, 1], [0, 2, 5]]), n_top=2, n_random=1, rng=rng)
    (array([0, 2]), array([1]))
    """
    mixed = rng.permutation(estimates.shape[1])
    ranked = np.argsort(-np.abs(estimates), axis=1, kind="stable").T.reshape(-1)
    found = np.unique(ranked, return_index=True)[1]
    strongest = np.sort(ranked[np.sort(found)[:n_top]])
    return strongest, np.sort(mixed[~np.isin(mixed, strongest)][:n_random])


def summarise_part(
    shrunk: Shrunk, audited: Audited, *, quadrants: np.ndarray, counts: np.ndarray, confidence: float
) -> PartNumbers:
    """Join estimates and exact values of one layer and loss.

    Parameters
    ----------
    shrunk : Shrunk
    audited : Audited
    quadrants : ndarray, shape (half, fold, neuron)
        Sums of the unshrunk estimates' parts, nats.
    counts : ndarray, shape (half, fold)
        Targets.
    confidence : float
        Of intervals and total.
    """
    neurons, exact, n_top = audited.neurons, audited.exact, len(audited.strongest)
    error = exact[n_top:] - shrunk.estimate[audited.random]
    values = shrunk.estimate.copy()
    values[audited.strongest] = exact[:n_top]
    total = layer_total(values, audited=audited.random, error=error, n_exact=n_top, confidence=confidence)
    intervals = conformal_intervals(shrunk.error, audited=audited.random, error=error, confidence=confidence)
    half, spread = intervals.half_width.copy(), shrunk.error.copy()
    values[neurons], half[neurons], spread[neurons] = exact, 0.0, 0.0
    sums = quadrants.copy()
    sums[..., neurons] = audited.quadrants
    square, means = mean_square(sums, counts), mean_influence(sums, counts).tolist()
    return PartNumbers(
        influence=values,
        error=spread,
        low=values - half,
        high=values + half,
        conformal_factor=intervals.factor,
        error_share=_ratio(_rms(error), _rms(values)),
        third_order_share=_third_order(shrunk, neurons, exact),
        total_influence=total.value,
        total_low=total.low,
        total_high=total.high,
        mean_influence=means[0],
        mean_influence_leave_outs=tuple(means[1:]),
        mean_square=square.value,
        mean_square_se=square.standard_error,
        mean_square_leave_outs=square.leave_outs,
    )


def _third_order(shrunk: Shrunk, neurons: np.ndarray, exact: np.ndarray) -> float:
    """Exact less unshrunk values, the variance of the signs taken off, in units of the exact ones."""
    left = np.mean(np.square(exact - shrunk.unshrunk[neurons]) - np.square(shrunk.noise[neurons]))
    return _ratio(float(np.sqrt(max(0.0, float(left)))), _rms(exact))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _ratio(part: float, whole: float) -> float:
    return 0.0 if part == 0 else float("inf") if whole == 0 else part / whole
