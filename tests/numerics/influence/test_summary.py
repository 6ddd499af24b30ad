"""One row of what all neurons amount to, against sums by hand."""

import numpy as np
import pytest

from rare_neurons.numerics.influence.summary import summarise_influence


def summary(influence, se, **changes):
    n = len(influence)
    columns = {
        "influence": np.array(influence, dtype=float),
        "influence_se": np.array(se, dtype=float),
        "abs_influence": np.full(n, 0.5),
        "influence_within": np.full(n, 2.0),
        "bound": np.zeros(n),
        "exact_fraction": np.linspace(0, 1, n),
    }
    return summarise_influence(**columns | changes)


def test_columns_are_the_plain_moments():
    found = summary([3.0, -4.0, 0.0, 1.0], [0.5, 0.5, 0.5, 0.5], bound=np.array([0.1, 0.1, 0.1, 2.0]))
    assert (found.n_neurons, found.mean_influence, found.mean_abs_influence) == (4, 0.0, 0.5)
    assert found.rms_influence == pytest.approx(np.sqrt(26 / 4))
    assert found.rms_influence_corrected == pytest.approx(np.sqrt(26 / 4 - 0.25))
    assert (found.rms_influence_within, found.exact_fraction) == (2.0, 0.5)
    # 1 is two standard errors, 3 and -4 are six and eight.
    assert (found.n_boost, found.n_suppress) == (1, 1)
    assert (found.n_sign_uncertain, found.largest_bound) == (2, 2.0)
    assert (found.top_neuron, found.top_influence) == (1, -4.0)


def test_what_noise_explains_has_no_corrected_size():
    assert summary([1.0, -1.0], [1.0, 1.1]).rms_influence_corrected is None


def test_a_neuron_without_an_error_is_neither_boost_nor_suppress():
    found = summary([5.0, -5.0], [0.0, 1.0])
    assert (found.n_boost, found.n_suppress) == (0, 1)
