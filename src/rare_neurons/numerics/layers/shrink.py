"""From sums to an estimate: the even part shrunk towards what squared gradients say of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

_QUANTILE = 0.95


@dataclass(frozen=True)
class Shrunk:
    """Estimates of the neurons of one layer on one loss.

    Attributes
    ----------
    estimate, unshrunk : ndarray, shape (neuron,)
        With the even part shrunk, and as the sign draws have it; nats per token.
    second : ndarray, shape (neuron,)
        H, the mean of the sign draws.
    noise : ndarray, shape (neuron,)
        Standard error of ``unshrunk`` over draws of signs.
    error : ndarray, shape (neuron,)
        The same, widened by the ratio of the t to the normal quantile of 0.95: the draws are few, and a normal
        interval of 90 % with this error is the t interval.
    multiples : ndarray, shape (kind,)
        b, the multiples of the squared gradients that are the centre.
    signs : float
        What is kept of the sign draws' deviation from the centre (c, 0 to 1).
    """

    estimate: np.ndarray
    unshrunk: np.ndarray
    second: np.ndarray
    noise: np.ndarray
    error: np.ndarray
    multiples: np.ndarray
    signs: float


def shrink(
    first: np.ndarray,
    second: np.ndarray,
    variance: np.ndarray,
    squares: np.ndarray,
    df: np.ndarray | float = np.inf,
) -> Shrunk:
    """Estimate effects from their first and second order (docs/methods/layers.md).

    ``Δ̂ = I₁ + ½ [b·G + c (H − b·G)]``: H, the mean of the sign draws, is unbiased and noisy; the G, squared gradients
    of several losses (Gauss-Newton by sampled labels among them), have little noise but another size. b is the
    regression of H on them with weights ``1/(s² + median s²)``, and ``c = max(0, 1 − (1 − k/N) Σs²/Σ(H − b·G)²)`` with
    s² the variance of H (James & Stein 1961, with one common variance of H about b·G over the layer's N neurons; the
    k multiples take their part of the noise with them).

    Parameters
    ----------
    first, second : ndarray, shape (neuron,)
        I₁ and H, nats per token.
    variance : ndarray, shape (neuron,)
        s², nats squared.
    squares : ndarray, shape (kind, neuron)
        G.
    df : ndarray, shape (neuron,)
        Degrees of freedom of ``variance``.

    Returns
    -------
    Shrunk

    Examples
    --------
    Without noise nothing is shrunk:

    >>> h = np.array([2.0, -1.0, 4.0])
    >>> shrink(np.ones(3), h, np.zeros(3), np.zeros((1, 3))).estimate.tolist()
    [2.0, 0.5, 3.0]
    """
    b = _multiples(second, squares, variance)
    centre = b @ squares
    spread = float(np.square(second - centre).sum())
    noise_left = float(variance.sum()) * (1.0 - len(b) / len(second))
    c = min(1.0, max(0.0, 1.0 - noise_left / spread)) if spread > 0 else 1.0
    even = centre + c * (second - centre)
    noise = 0.5 * np.sqrt(variance)
    error = noise * stdtrit(df, _QUANTILE) / ndtri(_QUANTILE)
    return Shrunk(first + 0.5 * even, first + 0.5 * second, second, noise, error, b, c)


def _multiples(second: np.ndarray, squares: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Weighted regression through the origin; 0 for what is zero throughout."""
    typical = float(np.median(variance))
    root = 1.0 / np.sqrt(variance + typical) if typical > 0 else np.ones_like(variance)
    weighted = squares * root
    size = np.sqrt(np.square(weighted).sum(1))
    scaled = np.divide(weighted, size[:, None], out=np.zeros_like(weighted), where=size[:, None] > 0)
    found = np.linalg.lstsq(scaled.T, second * root, rcond=1e-10)[0]
    return np.divide(found, size, out=np.zeros_like(found), where=size > 0)
