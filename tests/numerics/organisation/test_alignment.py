import numpy as np
import pytest
from scipy.stats import beta

from rare_neurons.numerics.organisation.alignment import near_right_angles, square_cosine


def test_parallel_and_orthogonal_rows():
    unit = np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 1.0, 0], [np.cos(1), np.sin(1), 0]])
    sets = np.array([[0, 1], [0, 2], [0, 3]])
    np.testing.assert_allclose(square_cosine(unit, sets), [1, 0, np.cos(1) ** 2], atol=1e-15)
    assert near_right_angles(unit, sets).tolist() == [0, 1, 0]


@pytest.mark.parametrize("d", [96, 512])
def test_random_directions_are_near_right_angles_by_chance(d):
    rows = np.random.default_rng(0).normal(size=(60, d))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    chance = 1 - 2 * beta.sf((np.cos(np.deg2rad(80)) + 1) / 2, (d - 1) / 2, (d - 1) / 2)
    every = np.arange(60)[None]
    se = np.sqrt(chance * (1 - chance) / 1770)
    assert near_right_angles(unit, every)[0] == pytest.approx(chance, abs=4 * se + 1e-9)
    assert square_cosine(unit, every)[0] == pytest.approx(1 / d, rel=0.15)  # sd of the mean is 3 %
