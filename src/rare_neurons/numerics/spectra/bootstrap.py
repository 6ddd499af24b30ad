"""Refits of resampled eigenvalues: sensitivity band of alpha and goodness of fit of the tail."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rare_neurons.numerics.spectra.power_law import PowerLawFit, fit_power_law

CONFIDENCE = 0.9
"""Share of the refits inside the band."""


def bootstrap_alpha(
    values: ArrayLike, rng: np.random.Generator, *, refits: int, min_tail: int = 2
) -> tuple[float, float] | None:
    """5 % and 95 % quantile of alpha over refits (xmin included) of samples drawn with replacement.

    Parameters
    ----------
    values : array_like, shape (n,)
        The sample that was fitted.
    rng : numpy.random.Generator
    refits : int
        Number of bootstrap samples, at least 1.
    min_tail : int
        As in ``fit_power_law``.

    Returns
    -------
    (low, high) or None
        ``None`` where fewer than nine in ten refits had a fit. For an independent sample from a power law it is a 90 %
        interval; eigenvalues are not independent, so for them it says only how much the fit leans on single values.

    Raises
    ------
    ValueError
        If ``refits`` is below 1.
    """
    if refits < 1:
        raise ValueError(f"refits={refits}, but a band needs at least 1")
    x = np.asarray(values, dtype=np.float64)
    fits = (fit_power_law(x[rng.integers(x.size, size=x.size)], min_tail=min_tail) for _ in range(refits))
    alphas = [fit.alpha for fit in fits if fit.alpha is not None]
    if len(alphas) < CONFIDENCE * refits:
        return None
    low, high = np.quantile(alphas, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def goodness_of_fit(
    values: ArrayLike, fit: PowerLawFit, rng: np.random.Generator, *, refits: int, min_tail: int = 2
) -> float | None:
    """P-value of the power-law tail (CSN section 4.1): small means the tail is not a power law.

    Each synthetic sample takes a value from the fitted power law with probability ``n_tail / n`` and otherwise one of
    the observed values below ``xmin``, and is fitted anew, xmin included; p is the share of ``(count + 1) /
    (refits + 1)`` whose KS distance is at least the observed one.

    Parameters
    ----------
    values : array_like, shape (n,)
        The sample that was fitted.
    fit : PowerLawFit
        Its fit, with status ``ok``.
    rng : numpy.random.Generator
    refits : int
        Number of synthetic samples; 0 gives ``None``. The p value is good to ``1 / (2 sqrt(refits))``.
    min_tail : int
        As in ``fit_power_law``.
    """
    if refits == 0:
        return None
    x = np.sort(np.asarray(values, dtype=np.float64))
    body = x[: x.size - fit.n_tail]
    distances = [
        fit_power_law(synthetic_sample(body, x.size, fit, rng), min_tail=min_tail).ks_distance for _ in range(refits)
    ]
    farther = sum(distance is not None and distance >= fit.ks_distance for distance in distances)
    return (farther + 1) / (refits + 1)


def synthetic_sample(
    body: NDArray[np.float64], size: int, fit: PowerLawFit, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Sample of ``size`` from the fitted tail and, below ``xmin``, from the observed ``body`` with replacement."""
    n_tail = rng.binomial(size, fit.n_tail / (body.size + fit.n_tail))
    tail = fit.xmin * (1 - rng.random(n_tail)) ** (-1 / (fit.alpha - 1))
    return np.concatenate([rng.choice(body, size - n_tail), tail]) if n_tail < size else tail
