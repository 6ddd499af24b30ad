"""From tables of sums over the grid to statistics with their leave-one-out values."""

import numpy as np
import pytest

from rare_neurons.numerics.evidence.history import on_grid
from rare_neurons.numerics.grid.moments import mean_leave_outs, mean_square_leave_outs
from rare_neurons.stages.cell_tables import behaviour_statistics, influence_pair, moment_statistics
from rare_neurons.tables import read_table
from tests.stages.tables import put, put_behaviour_on_grid, put_moments

PLACE = {"panel": "p", "model": "m", "step": 4}
COUNTS = np.full((12, 12), 5.0)


def effects(seed, n_neurons=6):
    return np.random.default_rng(seed).standard_normal((n_neurons, 12, 12)) + 1


def same(found, slow):
    for part in ("value", "row", "column", "cell"):
        np.testing.assert_allclose(getattr(found, part), getattr(slow, part), rtol=1e-12)


def test_behaviour_is_the_mean_over_targets_with_every_leave_out(tmp_path):
    values = {"rare": effects(0)[0], "common": effects(1)[0]}
    table = read_table(put_behaviour_on_grid(tmp_path, PLACE, values))
    found = behaviour_statistics(table, [("rare", "loss"), ("common", "entropy"), ("absent", "loss")])
    assert set(found) == {("rare", "loss"), ("common", "entropy")}
    same(found["rare", "loss"], mean_leave_outs(5 * values["rare"], COUNTS))
    same(found["common", "entropy"], mean_leave_outs(5 * values["common"], COUNTS))


def test_cells_without_targets_are_empty(tmp_path):
    rows = [
        {"stratum": "rare", "fold": a, "type_bin": b, "n_targets": 2, "loss": 1.0 + a}
        for a in range(12)
        for b in range(12)
        if (a, b) != (3, 4)
    ]
    table = read_table(put(tmp_path, "behaviour", PLACE, rows))
    (found,) = behaviour_statistics(table, [("rare", "loss")]).values()
    counts = on_grid([r["fold"] for r in rows], [r["type_bin"] for r in rows], [2] * len(rows), n_folds=12)
    same(found, mean_leave_outs(counts * (1 + np.arange(12))[:, None], counts))


def test_moments_are_those_of_the_network_and_not_of_its_placebos(tmp_path):
    own = effects(2)
    table = read_table(put_moments(tmp_path, PLACE, {"rare": [own, 3 * own, 5 * own]}))
    found = moment_statistics(table, [("rare", "mean_influence_within"), ("rare", "rms_influence")])
    same(found["rare", "mean_influence_within"], mean_leave_outs(5 * own.mean(axis=0), COUNTS))
    same(found["rare", "rms_influence"], mean_square_leave_outs(5 * own, COUNTS))


def test_a_pair_of_strata_has_its_placebos(tmp_path):
    rare, common = ([effects(seed + k) for k in range(3)] for seed in (10, 20))
    table = read_table(put_moments(tmp_path, PLACE, {"rare": rare, "common": common}))
    before = [[effects(seed + k) for k in range(3)] for seed in (30, 40)]
    start = read_table(put_moments(tmp_path, PLACE | {"step": 0}, dict(zip(("rare", "common"), before, strict=True))))
    found = influence_pair(table, start, rare="rare", common="common")
    same(found.square.rare, mean_square_leave_outs(5 * rare[0], COUNTS))
    same(found.growth.rare, found.square.rare - mean_square_leave_outs(5 * before[0][0], COUNTS))
    then = mean_leave_outs(5 * before[1][0].mean(axis=0), COUNTS)
    same(found.mean.common, mean_leave_outs(5 * common[0].mean(axis=0), COUNTS) - then)
    assert found.square.placebo_rare.value.shape == (2,)
    same(found.square.placebo_common[1], mean_square_leave_outs(5 * common[2], COUNTS))
    assert found.mean.placebo_rare.value[0] == pytest.approx(rare[1].mean() - before[0][1].mean())
