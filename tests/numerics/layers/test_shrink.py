"""Shrinking takes off noise where the centre is near, and leaves the rest."""

import numpy as np
import pytest

from rare_neurons.numerics.layers.shrink import shrink


def _world(seed, *, scatter, noise, n=400):
    rng = np.random.default_rng(seed)
    first, gn = 0.1 * rng.standard_normal(n), rng.lognormal(0, 1, n)
    truth = 0.7 * gn * (1 + scatter * rng.standard_normal(n))
    return first, truth, truth + noise * rng.standard_normal(n), np.full(n, noise**2), gn[None]


@pytest.mark.parametrize(("scatter", "noise"), [(0.1, 0.5), (0.5, 0.5), (0.5, 0.1)])
def test_it_is_better_than_the_signs_and_than_its_centre(scatter, noise):
    first, truth, second, variance, gn = _world(0, scatter=scatter, noise=noise)
    found = shrink(first, second, variance, gn)
    exact = first + 0.5 * truth

    def error(values):
        return np.sqrt(np.mean((values - exact) ** 2))

    assert error(found.estimate) < 1.02 * error(found.unshrunk)
    assert error(found.estimate) < 1.02 * error(first + 0.5 * found.multiples @ gn)
    assert found.multiples == pytest.approx([0.7], abs=0.1)
    np.testing.assert_allclose(found.error, 0.5 * noise)
    np.testing.assert_array_equal(found.second, second)


def test_pure_noise_about_the_centre_is_all_taken_off_but_its_own_fraction():
    first, _, second, variance, gn = _world(1, scatter=0.0, noise=0.5, n=5000)
    assert shrink(first, second, variance, gn).signs < 0.1


def test_a_second_kind_of_squares_takes_off_more():
    rng = np.random.default_rng(3)
    n, noise = 400, 0.5
    squares = rng.lognormal(0, 1, (2, n))
    truth = np.array([1.3, -0.6]) @ squares
    second, variance = truth + noise * rng.standard_normal(n), np.full(n, noise**2)
    both, one = (shrink(np.zeros(n), second, variance, kinds) for kinds in (squares, squares[:1]))
    rmse = [np.sqrt(np.mean((found.estimate - 0.5 * truth) ** 2)) for found in (both, one)]
    # What is left is the noise of two multiples and of c, both of one part in n: far from a quarter of the noise.
    assert rmse[0] < 0.25 * 0.5 * noise < 0.5 * rmse[1]
    assert both.multiples == pytest.approx([1.3, -0.6], abs=0.1)


def test_kinds_that_say_the_same_do_no_harm():
    first, _, second, variance, gn = _world(4, scatter=0.2, noise=0.3)
    one, twice = shrink(first, second, variance, gn), shrink(first, second, variance, np.repeat(gn, 2, 0))
    assert twice.multiples.sum() == pytest.approx(one.multiples[0])
    # One multiple more is counted, of 400 neurons.
    np.testing.assert_allclose(twice.estimate, one.estimate, rtol=1e-2, atol=1e-3)


def test_an_error_of_few_degrees_of_freedom_is_that_of_the_t_interval():
    rng = np.random.default_rng(2)
    n, draws = 20000, rng.standard_normal((2, 20000))
    second, variance = draws.mean(0), draws.var(0, ddof=1) / 2
    found = shrink(np.zeros(n), second, variance, np.zeros((1, n)), np.ones(n))
    covered = np.abs(found.unshrunk) <= 1.645 * found.error
    assert covered.mean() == pytest.approx(0.9, abs=0.007)  # three standard errors
    assert (np.abs(found.unshrunk) <= 1.645 * found.noise).mean() < 0.7


def test_without_gauss_newton_or_without_anything_nothing_is_lost():
    second = np.array([1.0, -2.0, 0.5])
    found = shrink(np.zeros(3), second, np.zeros(3), np.zeros((2, 3)))
    np.testing.assert_array_equal(found.estimate, 0.5 * second)
    silent = shrink(np.zeros(3), np.zeros(3), np.zeros(3), np.zeros((2, 3)))
    np.testing.assert_array_equal(silent.estimate, 0)
    assert silent.signs == 1.0
    assert silent.multiples.tolist() == [0.0, 0.0]
