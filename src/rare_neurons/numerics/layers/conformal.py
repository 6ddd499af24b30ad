"""Intervals around estimates whose errors are known for some neurons drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

_FLOOR = 0.01  # of the root mean square: a neuron that hardly fires has an error of rounding alone, and no scale


@dataclass(frozen=True)
class Conformal:
    """Half-widths of the intervals of all neurons of a layer.

    Attributes
    ----------
    factor : float
        What the scale of a neuron's error is multiplied by.
    half_width : ndarray, shape (neuron,)
        Nats per token.
    """

    factor: float
    half_width: np.ndarray


def fewest_audited(confidence: float) -> int:
    """Neurons that split-conformal intervals need: ``⌈(m + 1) · confidence⌉ ≤ m``.

    Examples
    --------
    >>> fewest_audited(0.9)
    9
    """
    m = 1
    while _rank(m, confidence) > m:
        m += 1
    return m


def conformal_intervals(scale: np.ndarray, *, audited: np.ndarray, error: np.ndarray, confidence: float) -> Conformal:
    """Split-conformal half-widths with the score |error| / scale (Lei, G'Sell, Rinaldo, Tibshirani & Wasserman 2018).

    The factor is the ``⌈(m + 1) · confidence⌉``-th smallest score of the m audited neurons. For another neuron drawn
    from those that the audited ones were drawn from, the interval holds its exact value with at least the confidence.

    Parameters
    ----------
    scale : ndarray, shape (neuron,)
        Standard errors; not below a hundredth of their root mean square.
    audited : ndarray of int, shape (m,)
    error : ndarray, shape (m,)
        Exact value less estimate.
    confidence : float

    Raises
    ------
    ValueError
        If there are too few audited neurons.

    Examples
    --------
    >>> conformal_intervals(np.ones(9), audited=np.arange(9), error=np.arange(9.0), confidence=0.9).factor
    8.0
    """
    m, rank = len(audited), _rank(len(audited), confidence)
    if rank > m:
        raise ValueError(
            f"{m} audited neurons, but intervals of confidence {confidence} need {fewest_audited(confidence)}"
        )
    floored = np.maximum(scale, _FLOOR * np.sqrt(np.mean(np.square(scale))))
    size = np.abs(error)
    scores = np.divide(size, floored[audited], out=np.zeros(m), where=size > 0)
    factor = float(np.sort(scores)[rank - 1])
    return Conformal(factor, factor * floored)


def _rank(m: int, confidence: float) -> int:
    return ceil(round((m + 1) * confidence, 9))
