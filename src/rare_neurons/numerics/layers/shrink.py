"""From sums to an estimate: the even part shrunk towards a multiple of Gauss-Newton."""

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
    gauss_newton, signs : float
        The multiple b of Gauss-Newton, and what is kept of the sign draws' deviation from it (c, 0 to 1).
    """

    estimate: np.ndarray
    unshrunk: np.ndarray
    second: np.ndarray
    noise: np.ndarray
    error: np.ndarray
    gauss_newton: float
    signs: float


def shrink(
    first: np.ndarray,
    second: np.ndarray,
    variance: np.ndarray,
    gauss_newton: np.ndarray,
    df: np.ndarray | float = np.inf,
) -> Shrunk:
    """Estimate effects from their first and second order (docs/methods/layers.md).

    ``Δ̂ = I₁ + ½ [b G + c (H − b G)]``: H, the mean of the sign draws, is unbiased and noisy; G, Gauss-Newton by sampled
    labels, has little noise but another size. b is the regression of H on G with weights ``1/(s² + median s²)``, and
    ``c = max(0, 1 − Σs²/Σ(H − bG)²)`` with s² the variance of H (James & Stein 1961, with one common variance of H
    about b G over the layer's neurons).

    Parameters
    ----------
    first, second, gauss_newton : ndarray, shape (neuron,)
        I₁, H and G, nats per token.
    variance : ndarray, shape (neuron,)
        s², nats squared.
    df : ndarray, shape (neuron,)
        Degrees of freedom of ``variance``.

    Returns
    -------
    Shrunk

    Examples
    --------
    Without noise nothing is shrunk:

    >>> h = np.array([2.0, -1.0, 4.0])
    >>> shrink(np.ones(3), h, np.zeros(3), np.zeros(3)).estimate.tolist()
    [2.0, 0.5, 3.0]
    """
    b = _slope(second, gauss_newton, variance)
    deviation = second - b * gauss_newton
    spread = float(np.square(deviation).sum())
    c = max(0.0, 1.0 - float(variance.sum()) / spread) if spread > 0 else 1.0
    even = b * gauss_newton + c * deviation
    noise = 0.5 * np.sqrt(variance)
    error = noise * stdtrit(df, _QUANTILE) / ndtri(_QUANTILE)
    return Shrunk(first + 0.5 * even, first + 0.5 * second, second, noise, error, b, c)


def _slope(second: np.ndarray, gauss_newton: np.ndarray, variance: np.ndarray) -> float:
    """Weighted regression through the origin; 0 where Gauss-Newton is zero throughout."""
    typical = float(np.median(variance))
    weight = 1.0 / (variance + typical) if typical > 0 else np.ones_like(variance)
    size = float((weight * gauss_newton**2).sum())
    return float((weight * gauss_newton * second).sum()) / size if size > 0 else 0.0
