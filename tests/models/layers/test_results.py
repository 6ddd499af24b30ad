"""Columns follow from sums, audited neurons and single targets."""

import numpy as np

from rare_neurons.models.layers.results import shrunk_estimates
from rare_neurons.numerics.layers.sums import EffectSums


def test_estimates_are_means_over_each_stratums_targets():
    rng = np.random.default_rng(0)
    per_loss, neurons = (2, 2), (3, 7)
    first, second = (rng.standard_normal((*per_loss, 2, 12, *neurons)) for _ in range(2))
    zeros = np.zeros((*per_loss, *neurons))
    sums = EffectSums(first, second, zeros, zeros + 1, zeros[:, 0], zeros, zeros)
    found = shrunk_estimates(sums, np.array([5, 0]))
    assert set(found) == {(0, p, layer) for p in range(2) for layer in range(3)}
    expected = (first + 0.5 * second).sum((2, 3)) / 5
    np.testing.assert_allclose(found[0, 1, 2].estimate, expected[0, 1, 2])
