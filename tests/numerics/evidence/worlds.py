"""Small worlds for the tests of evidence: statistics of a few channels with document, type and cell noise."""

import numpy as np

from rare_neurons.numerics.grid.leave_outs import LeaveOuts
from rare_neurons.numerics.grid.moments import mean_leave_outs, mean_square_leave_outs

COUNTS = np.full((12, 12), 55.0)


def noise(n_channels, rng, *, memory=None):
    """Effects of documents, types and cells [channel, D, D]; autoregressive over channels with a memory."""
    shape = (n_channels, 12, 12)
    drawn = (
        0.3 * rng.standard_normal((n_channels, 12, 1))
        + 0.6 * rng.standard_normal((n_channels, 1, 12))
        + rng.standard_normal(shape)
    )
    if memory is None:
        return drawn
    for k in range(1, n_channels):
        drawn[k] = memory * drawn[k - 1] + np.sqrt(1 - memory**2) * drawn[k]
    return drawn


def means(truth, rng, *, size=1.0, memory=None):
    """Mean of each channel around its truth."""
    truth = np.asarray(truth, dtype=float)
    return mean_leave_outs(COUNTS * (truth[:, None, None] + size * noise(len(truth), rng, memory=memory)), COUNTS)


def mean_square(theta, rng, *, size=1.0):
    """Noise-free mean square of planted effects."""
    theta = np.asarray(theta, dtype=float)
    return mean_square_leave_outs(COUNTS * (theta[:, None, None] + size * noise(len(theta), rng)), COUNTS)


def exactly(values):
    """Statistics without noise over the panel."""
    value = np.asarray(values, dtype=float)
    fold = np.repeat(value[..., None], 12, axis=-1)
    return LeaveOuts(value, fold, fold, np.repeat(fold[..., None], 12, axis=-1))
