"""One layer and one loss: exact values in, estimates judged, and a limit."""

from dataclasses import replace

import numpy as np
import pytest

from rare_neurons.numerics.layers.part import ERROR_LIMIT, Audited, choose_audited, summarise_part
from rare_neurons.numerics.layers.shrink import shrink

COUNTS = np.full((2, 12), 10.0)


def _layer(error, third=0.0, n=60):
    rng = np.random.default_rng(0)
    first, second, gn = rng.standard_normal(n), rng.lognormal(0, 1, n), np.zeros(n)
    exact = first + 0.5 * second + third * rng.standard_normal(n)
    noisy = second + 2 * error * rng.standard_normal(n)
    shrunk = shrink(first, noisy, np.full(n, (2 * error) ** 2), gn[None])
    strongest, random = choose_audited(shrunk.estimate[None], n_top=5, n_random=30, rng=np.random.default_rng(1))
    chosen = np.concatenate([strongest, random])
    audited = Audited(strongest, random, exact[chosen], COUNTS[..., None] * exact[chosen])
    return exact, shrunk, audited


def _summary(shrunk, audited):
    quadrants = COUNTS[..., None] * shrunk.unshrunk
    return summarise_part(shrunk, audited, quadrants=quadrants, counts=COUNTS, confidence=0.9)


def test_exact_values_take_the_place_of_estimates():
    exact, shrunk, audited = _layer(0.05)
    found = _summary(shrunk, audited)
    chosen = audited.neurons
    np.testing.assert_array_equal(found.influence[chosen], exact[chosen])
    assert (found.error[chosen] == 0).all()
    assert (found.low[chosen] == found.high[chosen]).all()
    others = np.setdiff1d(np.arange(60), chosen)
    np.testing.assert_array_equal(found.influence[others], shrunk.estimate[others])
    assert np.mean((found.low <= exact) & (exact <= found.high)) > 0.9
    assert found.trusted
    assert found.error_share < 0.1
    assert found.total_low < exact.sum() < found.total_high
    assert found.mean_square == pytest.approx(np.mean(exact**2), rel=0.1)


@pytest.mark.parametrize("third", [0.0, 0.5])
def test_what_signs_cannot_explain_is_third_order(third):
    exact, shrunk, audited = _layer(0.1, third)
    share = _summary(shrunk, audited).third_order_share
    rms = np.sqrt(np.mean(exact[audited.neurons] ** 2))
    assert share == pytest.approx(third / rms, abs=0.12)


def test_large_errors_are_not_trusted():
    _, shrunk, audited = _layer(0.05)
    wrong = replace(audited, exact=np.concatenate([audited.exact[:5], audited.exact[5:] + 1.0]))
    found = _summary(shrunk, wrong)
    assert found.error_share > ERROR_LIMIT
    assert not found.trusted


def test_silent_layers_are_trusted():
    zeros = np.zeros(20)
    audited = Audited(np.arange(2), np.arange(2, 12), np.zeros(12), np.zeros((2, 12, 12)))
    found = _summary(shrink(zeros, zeros, zeros, zeros[None]), audited)
    assert found.trusted
    assert found.error_share == 0
    assert found.mean_square == 0


def test_losses_take_turns_and_the_random_ones_are_others():
    rng = np.random.default_rng(3)
    estimates = rng.standard_normal((3, 50))
    strongest, random = choose_audited(estimates, n_top=7, n_random=10, rng=np.random.default_rng(4))
    assert len(set(strongest)) == 7
    assert len(set(random)) == 10
    assert not set(strongest) & set(random)
    for one in estimates:
        assert set(np.argsort(-np.abs(one))[:2]) <= set(strongest)
    assert np.argmax(np.abs(estimates[0])) in strongest
    # Other estimates exchange few of the random neurons.
    other = choose_audited(rng.standard_normal((3, 50)), n_top=7, n_random=10, rng=np.random.default_rng(4))[1]
    assert len(set(random) & set(other)) >= 5
