"""Eigenvalues of WᵀW, against singular values and exact ranks."""

import numpy as np
import pytest

from rare_neurons.numerics.spectra.eigenvalues import eigenvalues


@pytest.mark.parametrize("shape", [(7, 7), (30, 5), (5, 30), (1, 9)])
def test_they_are_squared_singular_values(shape):
    matrix = np.random.default_rng(0).standard_normal(shape)
    expected = np.sort(np.linalg.svd(matrix, compute_uv=False) ** 2)
    np.testing.assert_allclose(eigenvalues(matrix), expected, rtol=1e-10, atol=1e-12)
    assert eigenvalues(matrix).size == min(shape)


def test_what_is_zero_is_exactly_zero():
    rng = np.random.default_rng(1)
    values = eigenvalues(rng.standard_normal((40, 3)) @ rng.standard_normal((3, 20)))
    assert np.count_nonzero(values) == 3
    assert (np.diff(values) >= 0).all()
    assert not eigenvalues(np.zeros((3, 4))).any()


def test_half_precision_is_widened_first():
    half = np.random.default_rng(2).standard_normal((6, 4)).astype(np.float16)
    np.testing.assert_array_equal(eigenvalues(half), eigenvalues(half.astype(np.float64)))


@pytest.mark.parametrize("matrix", [np.ones(3), np.ones((0, 3)), np.ones((2, 2, 2))])
def test_other_shapes_are_refused(matrix):
    with pytest.raises(ValueError, match="but a spectrum needs two non-empty axes"):
        eigenvalues(matrix)


def test_weights_that_are_not_finite_are_counted():
    with pytest.raises(ValueError, match="2 of 4 weights are not finite; the checkpoint is damaged"):
        eigenvalues([[np.nan, 1.0], [2.0, np.inf]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(900, 40), (40, 900)])
def test_blocks_of_rows_give_what_the_whole_gives(dtype, shape, monkeypatch):
    matrix = np.random.default_rng(3).standard_normal(shape).astype(dtype)
    whole = eigenvalues(matrix)
    monkeypatch.setattr("rare_neurons.numerics.spectra.eigenvalues._BLOCK_ENTRIES", 4000)
    # Another order of float64 sums.
    np.testing.assert_allclose(eigenvalues(matrix), whole, rtol=1e-13)


def test_squares_beyond_float64_are_named():
    with pytest.raises(ValueError, match=r"squares of weights of \(2, 2\) overflow float64 \(largest 1e\+200\)"):
        eigenvalues([[1e200, 1.0], [2.0, 1.0]])
