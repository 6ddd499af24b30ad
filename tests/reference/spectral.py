"""Slow, plain counterparts of the spectral quantities, from singular values and definitions alone."""

import numpy as np


def det_x_by_products(values):
    """Walk down from the largest eigenvalue until the plain product of the scaled ones is below 1."""
    scaled = sorted((np.asarray(values) * len(values) / np.sum(values)).tolist(), reverse=True)
    product = 1.0
    for count, value in enumerate(scaled, start=1):
        product *= value
        if product < 1:
            return count
    return len(scaled)


def hill_by_loop(values, k):
    """Hill's estimate as an exponent of the density, one logarithm at a time."""
    ordered = sorted(values, reverse=True)
    return 1 + k / sum(np.log(ordered[i] / ordered[k]) for i in range(k))


def bulk_quantile_by_density(ratio, probability, points=2_000_001):
    """Quantile of the Marchenko-Pastur density by a fine midpoint sum over sqrt(x)."""
    low, high = 1 - np.sqrt(ratio), 1 + np.sqrt(ratio)
    root = low + (np.arange(points) + 0.5) * (high - low) / points
    mass = np.cumsum(np.sqrt((high**2 - root**2) * (root**2 - low**2)) / root)
    return float(root[np.searchsorted(mass, probability * mass[-1])] ** 2)
