"""Fingerprints: exact parts exactly, the projection against its stated mean and variance."""

import hashlib

import numpy as np
import pytest

from rare_neurons.numerics.integrity.fingerprint import fingerprint_tensor, pairwise_distances


def test_exact_parts_equal_plain_computation():
    array = np.random.default_rng(0).standard_normal((700, 1000)).astype(np.float32)  # three blocks
    print_ = fingerprint_tensor("layer.weight", array)
    assert print_.norm == pytest.approx(np.linalg.norm(array.astype(np.float64)), rel=1e-12)
    assert (print_.n_nonfinite, print_.shape, print_.projection.shape) == (0, (700, 1000), (64,))
    assert len(print_.sha256) == hashlib.sha256().digest_size * 2


def test_projection_is_linear_and_the_same_at_every_step():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 300, 20))
    of = [fingerprint_tensor("w", x, seed=3).projection for x in (a, b, a - b)]
    np.testing.assert_allclose(of[0] - of[1], of[2], atol=1e-12)
    np.testing.assert_array_equal(of[0], fingerprint_tensor("w", a, seed=3).projection)
    for other in (
        fingerprint_tensor("v", a, seed=3),
        fingerprint_tensor("w", a, seed=4),
        fingerprint_tensor("w", a.T, seed=3),
    ):
        assert not np.allclose(other.projection, of[0])


@pytest.mark.parametrize("vector", ["dense", "sparse"])
def test_squared_distance_has_the_stated_mean_and_variance(vector):
    k, n_seeds, x = 16, 4000, np.random.default_rng(2).standard_normal(200)
    if vector == "sparse":
        x[3:] = 0  # Σ x⁴ is then a large part of |x|⁴: the second term of the variance must count
    squares = np.array(
        [np.sum(fingerprint_tensor("w", x, n_projections=k, seed=s).projection ** 2) for s in range(n_seeds)]
    )
    norm2, fourth = np.sum(x**2), np.sum(x**4)
    variance = 2 / k * (norm2**2 - fourth)
    assert abs(squares.mean() - norm2) < 4 * np.sqrt(variance / n_seeds)
    assert squares.var() == pytest.approx(variance, rel=0.15)


def test_digest_depends_on_values_and_shape_not_on_the_container():
    half = np.arange(12, dtype=np.float16)
    same = fingerprint_tensor("w", half).sha256
    assert fingerprint_tensor("w", half.astype(np.float32)).sha256 == same
    assert fingerprint_tensor("w", half.reshape(3, 4)).sha256 != same
    assert fingerprint_tensor("w", np.where(half == 0, np.float16(-0.0), half)).sha256 == same
    changed = half.copy()
    changed[5] = np.nextafter(changed[5], np.float16(100))
    assert fingerprint_tensor("w", changed).sha256 != same


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_entries_that_are_not_finite_are_counted_and_poison_the_distances(bad):
    array = np.ones((3, 4), dtype=np.float32)
    array[1, 2] = array[2, 3] = bad
    print_ = fingerprint_tensor("w", array)
    assert print_.n_nonfinite == 2
    assert np.isnan(print_.norm)
    good = fingerprint_tensor("w", np.ones((3, 4)))
    distances = pairwise_distances(np.array([[good.projection], [print_.projection], [good.projection]]))
    assert np.isnan(distances[1]).all()
    assert distances[0, 2] == 0


def test_distances_follow_without_the_weights():
    rng = np.random.default_rng(4)
    steps = np.cumsum(rng.standard_normal((5, 6, 4000)), axis=0)  # checkpoint, tensor, entry
    projections = np.array([[fingerprint_tensor(f"t{j}", x).projection for j, x in enumerate(step)] for step in steps])
    truth = np.linalg.norm((steps[:, None] - steps[None]).reshape(5, 5, -1), axis=2)
    off = ~np.eye(5, dtype=bool)
    error = pairwise_distances(projections)[off] / truth[off] - 1
    assert np.abs(error).max() < 4 * np.sqrt(2 / 64 / 6) / 2  # four sd of a distance over six tensors


@pytest.mark.parametrize(
    ("array", "k", "match"),
    [
        (np.empty((0, 3)), 64, "shape \\(0, 3\\)"),
        (np.ones(3, dtype=complex), 64, "complex128"),
        (np.ones(3), 0, "n_projections=0"),
        (np.ones(3), 48, "powers of two"),
    ],
)
def test_wrong_arguments_are_named(array, k, match):
    with pytest.raises(ValueError, match=match):
        fingerprint_tensor("w", array, n_projections=k)
