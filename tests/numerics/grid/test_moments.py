import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rare_neurons.numerics.grid.moments import (
    disjoint_products,
    gram,
    mean_leave_outs,
    mean_square_from_gram,
    mean_square_leave_outs,
    ratio_of_pairs,
    signed_root,
)
from tests.reference.grid import slow_mean, slow_power_mean


def panel(seed, n_neurons=2, size=4):
    """Random sums and counts, some cells empty."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, (size, size)).astype(float) + np.eye(size) + np.roll(np.eye(size), 1, 0)
    return rng.standard_normal((n_neurons, size, size)) * (counts > 0), counts


def assert_equals_reference(found, slow, size):
    assert float(found.value) == pytest.approx(slow())
    for k in range(size):
        assert found.row[k] == pytest.approx(slow(without_row=k))
        assert found.column[k] == pytest.approx(slow(without_column=k))
    assert found.cell[1, 2] == pytest.approx(slow(without_cell=(1, 2)))


@given(st.integers(0, 10_000))
def test_mean_equals_the_plain_loop(seed):
    sums, counts = panel(seed)
    found = mean_leave_outs(sums[0], counts)
    assert_equals_reference(found, lambda **out: slow_mean(sums[0], counts, **out), 4)


@pytest.mark.parametrize("seed", range(4))
def test_mean_square_equals_the_list_of_all_pairs(seed):
    sums, counts = panel(seed, size=5)
    found = mean_square_leave_outs(sums, counts)
    assert_equals_reference(found, lambda **out: slow_power_mean(sums, counts, 2, **out), 5)


@given(st.integers(0, 10_000))
def test_gram_matrix_gives_the_same(seed):
    sums, counts = panel(seed, n_neurons=6, size=5)
    one, two = mean_square_leave_outs(sums, counts), mean_square_from_gram(gram(sums), counts)
    for a, b in ((one.value, two.value), (one.row, two.row), (one.column, two.column), (one.cell, two.cell)):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_products_averaged_over_neurons_are_enough():
    sums, counts = panel(3, n_neurons=7, size=6)
    found = ratio_of_pairs(disjoint_products(sums).mean(0), counts)
    np.testing.assert_allclose(found.cell, mean_square_leave_outs(sums, counts).cell)


def test_document_and_type_effects_add_nothing_to_the_expectation():
    rng = np.random.default_rng(1)
    counts = rng.integers(20, 80, (12, 12)).astype(float)
    theta, n = 0.2, 4000
    noise = 3 * rng.standard_normal((n, 12, 1)) + 2 * rng.standard_normal((n, 1, 12))
    sums = counts * (theta + noise) + np.sqrt(counts) * rng.standard_normal((n, 12, 12))
    found = np.array([float(mean_square_leave_outs(part, counts).value) for part in sums.reshape(100, 40, 12, 12)])
    assert found.mean() == pytest.approx(theta**2, abs=4 * found.std() / 10)
    assert (mean_leave_outs(sums, counts).value ** 2).mean() > 20 * theta**2


@pytest.mark.parametrize(
    ("sums", "counts", "message"),
    [
        (np.ones((1, 3, 3)), np.ones((3, 4)), "square"),
        (np.ones((1, 3, 3)), np.ones((4, 4)), r"sums of shape \(1, 3, 3\)"),
        (np.ones((1, 3, 3)), np.diag([5.0, 0, 0]), "one fold holds all 5 targets"),
        (np.ones((1, 3, 3)), np.diag([5.0, 1, 0]), "no disjoint cells"),
    ],
)
def test_refusals(sums, counts, message):
    with pytest.raises(ValueError, match=message):
        mean_square_leave_outs(sums, counts)


def test_a_gram_matrix_of_another_grid_is_refused():
    with pytest.raises(ValueError, match=r"\(4, 4\) for 3 x 3"):
        mean_square_from_gram(np.ones((4, 4)), np.ones((3, 3)))


def test_the_root_of_a_mean_square_keeps_its_sign():
    assert (signed_root(4.0), signed_root(-9.0), signed_root(0.0)) == (2.0, -3.0, 0.0)
