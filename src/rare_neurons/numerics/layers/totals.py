"""Sum of the influences of a layer's neurons, without the bias of the estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit


@dataclass(frozen=True)
class Total:
    """Sum over a layer's neurons and its interval for the neurons that were not audited; nats per token."""

    value: float
    low: float
    high: float


def layer_total(
    values: np.ndarray, *, audited: np.ndarray, error: np.ndarray, n_exact: int, confidence: float
) -> Total:
    """Sum with the difference estimator: ``Σ Δ̂ + N · mean(error of the audited)`` (Cochran 1977, section 7.2).

    Unbiased over draws of the audited neurons, whatever the estimates' bias. The interval is ``± t(m − 1) · N s/√m ·
    √(1 − m/N)``: about the neurons, not about the panel's text.

    Parameters
    ----------
    values : ndarray, shape (neuron,)
        Estimates, also of the audited neurons; exact values of the `n_exact` strongest.
    audited : ndarray of int, shape (m,)
        Drawn at random from the N = neurons − `n_exact` others.
    error : ndarray, shape (m,)
        Exact value less estimate.
    n_exact : int
    confidence : float

    Examples
    --------
    >>> layer_total(np.ones(10), audited=np.arange(5), error=np.full(5, 0.5), n_exact=2, confidence=0.9).value
    14.0
    """
    m, n = len(audited), len(values) - n_exact
    value = float(values.sum() + n * error.mean())
    spread = float(error.std(ddof=1)) if m > 1 else 0.0
    half = float(stdtrit(max(m - 1, 1), (1 + confidence) / 2)) * n * spread * float(np.sqrt(max(0.0, 1 - m / n) / m))
    return Total(value, value - half, value + half)
