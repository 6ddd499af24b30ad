import numpy as np
import pytest

from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.influence.moments import summarise_moments
from tests.numerics.evidence.worlds import exactly, mean_square, means


def test_roots_keep_their_sign_and_errors_are_of_the_square():
    rng = np.random.default_rng(0)
    mean, square = means([0.3], rng)[0], mean_square(np.full(20, 0.5), rng, size=0.1)
    below = exactly(-0.25)
    found = summarise_moments(
        {
            "mean_influence": mean,
            "mean_influence_within": mean,
            "rms_influence": square,
            "rms_influence_within": below,
        }
    )
    assert (found.mean_influence, found.mean_influence_se) == (float(mean.value), float(standard_error(mean)))
    assert found.rms_influence == pytest.approx(0.5, abs=0.05)  # noise of a tenth over twenty neurons
    assert found.rms_influence**2 == pytest.approx(float(square.value))
    assert found.square_influence_se == float(standard_error(square))
    assert (found.rms_influence_within, found.square_influence_within_se) == (-0.5, 0.0)
