"""Eigenvalues of row correlations against correlation matrices."""

import numpy as np
import pytest

from rare_neurons.numerics.organisation.row_correlations import BATCH, top_eigenvalues, unit_rows


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize("width", [40, 8])  # wider and narrower than the sets
def test_top_eigenvalues_are_those_of_the_correlation_matrices(width):
    rows, rng = gaussian(200, width), np.random.default_rng(1)
    sets = np.stack([rng.permutation(200)[:20] for _ in range(BATCH + 3)])
    expected = [np.linalg.eigvalsh(np.corrcoef(rows[one]))[-1] for one in sets]
    np.testing.assert_allclose(top_eigenvalues(unit_rows(rows, None), sets)[:, 0], expected, rtol=1e-10)


def test_directions_are_projected_out_of_the_rows():
    rows, common = gaussian(30, 16), gaussian(1, 16, 9)[0]
    unit = unit_rows(rows, np.stack([common, 2 * common, np.zeros(16)]))  # parallel and empty ones do no harm
    np.testing.assert_allclose(unit @ common, 0, atol=1e-12)
    np.testing.assert_allclose(unit.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1)


def test_hill_index_is_that_of_the_largest_tenth():
    rows = gaussian(100, 60)
    values = np.sort(np.linalg.eigvalsh(np.corrcoef(rows[:40])))[::-1]
    found = top_eigenvalues(unit_rows(rows, None), np.arange(40)[None])[0, 1]
    assert found == pytest.approx(4 / np.log(values[:4] / values[4]).sum(), rel=1e-9)


@pytest.mark.parametrize(
    ("rows", "directions", "message"),
    [
        (gaussian(5, 4), np.ones(3), r"directions of shape \(1, 3\) must be finite and 4 wide"),
        (gaussian(5, 4), np.full(4, np.nan), "must be finite"),
        (np.zeros((5, 4)), None, "5 of 5 rows vanish or are not finite after projection, first 0"),
    ],
)
def test_rows_and_directions_that_do_not_fit_are_refused(rows, directions, message):
    with pytest.raises(ValueError, match=message):
        unit_rows(rows, directions)
