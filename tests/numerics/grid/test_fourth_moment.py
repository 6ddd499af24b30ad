import numpy as np
import pytest

from rare_neurons.numerics.grid.fourth_moment import BLOCK, disjoint_quadruples, mean_fourth_leave_outs
from tests.numerics.grid.test_moments import panel
from tests.reference.grid import slow_power_mean


def test_equals_the_list_of_all_quadruples():
    sums, counts = panel(0, n_neurons=2, size=5)
    counts += 1
    found = mean_fourth_leave_outs(sums, counts)
    assert float(found.value) == pytest.approx(slow_power_mean(sums, counts, 4))
    for k in (0, 3):
        assert found.row[k] == pytest.approx(slow_power_mean(sums, counts, 4, without_row=k))
        assert found.column[k] == pytest.approx(slow_power_mean(sums, counts, 4, without_column=k))
    assert found.cell[3, 0] == pytest.approx(slow_power_mean(sums, counts, 4, without_cell=(3, 0)))


def test_a_constant_effect_gives_its_fourth_power_at_any_scale():
    counts = np.random.default_rng(1).integers(1, 90, (12, 12)).astype(float)
    for theta in (1e-6, 1.0, 1e4):
        found = mean_fourth_leave_outs(theta * counts[None], counts)
        np.testing.assert_allclose(found.value, theta**4, rtol=1e-10)
        np.testing.assert_allclose(found.row, theta**4, rtol=1e-10)
        np.testing.assert_allclose(found.cell, theta**4, rtol=1e-10)


def test_blocks_of_neurons_make_no_difference():
    rng = np.random.default_rng(2)
    counts = np.ones((6, 6))
    sums = rng.standard_normal((BLOCK + 30, 6, 6))
    one, two = (mean_fourth_leave_outs(part, counts).value for part in (sums[:BLOCK], sums[BLOCK:]))
    found = mean_fourth_leave_outs(sums, counts).value
    assert found == pytest.approx((BLOCK * one + 30 * two) / (BLOCK + 30))


def test_document_and_type_effects_add_nothing_to_the_expectation():
    rng = np.random.default_rng(3)
    counts, n = np.full((12, 12), 50.0), 2000
    noise = rng.standard_normal((n, 12, 1)) + rng.standard_normal((n, 1, 12)) + rng.standard_normal((n, 12, 12))
    per_neuron = disjoint_quadruples(counts * (0.8 + 0.5 * noise)).sum((1, 2)) / disjoint_quadruples(counts[None]).sum()
    assert per_neuron.mean() == pytest.approx(0.8**4, abs=4 * per_neuron.std() / np.sqrt(n))


def test_a_grid_without_spare_fold_is_refused():
    with pytest.raises(ValueError, match="at least 5"):
        mean_fourth_leave_outs(np.ones((1, 4, 4)), np.ones((4, 4)))
