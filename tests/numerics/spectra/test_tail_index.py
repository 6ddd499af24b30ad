"""Hill and FARMS against closed forms."""

import numpy as np
import pytest

from rare_neurons.numerics.spectra.eigenvalues import eigenvalues
from rare_neurons.numerics.spectra.tail_index import farms_alpha, hill_alpha
from tests.reference.spectral import hill_by_loop


def test_hill_of_a_geometric_sequence_is_closed_form():
    # ln x = 0, c, 2c, ...: the mean excess over x_(k+1) is c (k + 1) / 2.
    values = np.exp(0.3 * np.arange(50))
    for k in (1, 7, 49):
        assert hill_alpha(values, k) == pytest.approx(1 + 2 / (0.3 * (k + 1)), rel=1e-12)


def test_hill_equals_a_loop_in_any_order_and_any_unit():
    values = 1 + np.random.default_rng(0).pareto(2.0, 200)
    assert hill_alpha(values, 20) == pytest.approx(hill_by_loop(values, 20), rel=1e-12)
    assert hill_alpha(7 * values[::-1], 20) == pytest.approx(hill_alpha(values, 20), rel=1e-12)


def test_hill_of_pareto_values_is_within_its_standard_error():
    values = np.random.default_rng(1).random(50_000) ** (-1 / 1.5)
    assert abs(hill_alpha(values, 5_000) - 2.5) < 4 * 1.5 / np.sqrt(5_000)


def test_hill_is_not_defined_without_spread_or_above_zeros():
    assert hill_alpha(np.ones(10), 3) is None
    assert hill_alpha([0.0, 0.0, 1.0, 2.0], 2) is None
    with pytest.raises(ValueError, match="a Hill tail of k=4 of 4 values; k must be between 1 and 3"):
        hill_alpha([1.0, 2.0, 3.0, 4.0], 4)


def test_farms_of_diagonal_windows_is_hill_of_their_pooled_squares():
    squares = np.exp(0.1 * np.arange(40))
    matrix = np.zeros((20, 40))
    for window, part in enumerate(squares.reshape(4, 10)):
        matrix[np.arange(10), 10 * window + np.arange(10)] = np.sqrt(part)
    assert farms_alpha(matrix, np.random.default_rng(0), windows=8) is None  # half of the pool is exactly zero
    matrix[10:] = matrix[:10]
    # Each square appears twice; above the 20th of 40 pairs lie 20 pairs with excesses 0.1 j, and one tie.
    expected = 1 + 40 / (2 * 0.1 * np.arange(1, 21).sum())
    assert farms_alpha(matrix, np.random.default_rng(0), windows=8) == pytest.approx(expected, rel=1e-12)


def test_farms_does_not_follow_the_aspect_ratio_but_hill_does():
    rng = np.random.default_rng(4)
    square, wide = rng.standard_normal((96, 96)), rng.standard_normal((96, 768))
    whole = [hill_alpha(eigenvalues(m), 48) for m in (square, wide)]
    fixed = [farms_alpha(m, np.random.default_rng(0), windows=8) for m in (square, wide)]
    assert abs(whole[1] - whole[0]) > 1
    assert abs(fixed[1] - fixed[0]) < 0.15


def test_farms_windows_are_seeded_transposable_and_may_be_absent():
    matrix = np.random.default_rng(4).standard_normal((400, 40))
    one, again, other = (farms_alpha(matrix, np.random.default_rng(s), windows=3) for s in (0, 0, 1))
    assert one == again != other
    assert farms_alpha(matrix.T, np.random.default_rng(0), windows=3) == pytest.approx(one)
    assert farms_alpha(np.ones((1, 9)), np.random.default_rng(0)) is None
    with pytest.raises(ValueError, match=r"windows=0, aspect_ratio=1\.0; both must be at least 1"):
        farms_alpha(matrix, np.random.default_rng(0), windows=0)
