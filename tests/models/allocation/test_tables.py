"""Columns of an account that is known by construction."""

import numpy as np
import pytest

from rare_neurons.models.allocation.tables import Account, change_columns, unit_columns
from rare_neurons.models.allocation.units import Unit

UNITS = (
    Unit(0, "neuron", 0), Unit(0, "neuron", 1), Unit(0, "neuron", 2), Unit(None, "embedding", None, 1),
    Unit(None, "embedding", None, 2),
)  # fmt: skip
LIMITS = {"max_remainder": 0.02, "judged_change": 0.1}


def account(sums, after=(0.5, 0.0, -1.0, 0.05)):
    counts = np.array([[2.0, 2.0], [1.0, 3.0]])
    return Account(
        ("rare", "common"), ("common", "rare"), UNITS, np.zeros(4), np.array(after), sums, counts,
        np.array([1.0, 2.0, 1.0, 1.0]), n_nodes=5, n_intervals=1,
    )  # fmt: skip


SUMS = np.random.default_rng(0).normal(size=(4, 2, 5))


def test_rows_are_means_over_targets_stratum_by_stratum():
    rows = unit_columns(account(SUMS))
    assert rows["stratum"] == ["rare"] * 5 + ["common"] * 5
    assert rows["unit"] == [0, 1, 2, None, None] * 2
    # Tokens of class 1 are rare ones; those of class 2 have no stratum.
    assert rows["token_stratum"] == [None, None, None, "rare", None] * 2
    np.testing.assert_allclose(rows["allocation"], np.concatenate([SUMS[0].sum(0), SUMS[2].sum(0)]) / 4)
    np.testing.assert_allclose(rows["allocation_within"][5:], SUMS[3].sum(0) / 4)
    # Two folds of two targets: half the difference of their means; twice as much for the second loss.
    half = np.abs(SUMS[:2, 0] / 2 - SUMS[:2, 1] / 2) / 2
    np.testing.assert_allclose(rows["allocation_se"][:5], half[0])
    np.testing.assert_allclose(rows["allocation_within_se"][:5], 2 * half[1])


def test_changes_judge_large_remainders_of_large_changes_alone():
    sums = np.zeros((4, 2, 5))
    sums[0, 0, 0], sums[2, 0, 0] = 4 * 0.495, 4 * -0.9
    changes = change_columns(account(sums), None, **LIMITS)
    np.testing.assert_allclose(changes["allocated"], [0.495, 0, -0.9, 0])
    np.testing.assert_allclose(changes["remainder"], [0.005, 0, -0.1, 0.05])
    assert changes["part"] == ["whole", "within"] * 2
    assert changes["status"] == ["ok", "ok", "remainder", "ok"]
    assert "-0.1000 of a change of -1.0000 nats, more than 2%" in changes["reason"][2]
    assert changes["path_correlation"] == [None] * 4


def test_path_correlation_is_over_neurons_and_two_lines_are_summed():
    rng = np.random.default_rng(1)
    halves = [account(rng.normal(size=(4, 2, 5))) for _ in range(2)]
    whole = account(SUMS)
    found = change_columns(whole, halves, **LIMITS)["path_correlation"]
    two = halves[0].allocation[1, :3] + halves[1].allocation[1, :3]
    assert found[1] == pytest.approx(np.corrcoef(whole.allocation[1, :3], two)[0, 1])
