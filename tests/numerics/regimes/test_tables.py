"""Tables of regimes of one checkpoint: every stratum, sign and declared difference, and nothing else."""

import numpy as np
import pytest

from rare_neurons.numerics.influence.shard import InfluenceShard
from rare_neurons.numerics.regimes.conventions import CONVENTIONS
from rare_neurons.numerics.regimes.rank_curve import SIGNS, rank_curve
from rare_neurons.numerics.regimes.resampled import QUANTITIES, measure_spacing_regimes
from rare_neurons.numerics.regimes.tables import measure_regime_tables, measure_shard_regimes

OPTIONS = {"n_bins": 6, "n_resamples": 10, "confidence": 0.9, "seed": 0}


@pytest.fixture(scope="module")
def shard():
    rng = np.random.default_rng(0)
    counts = rng.integers(5, 9, (2, 4, 4))
    sums = rng.standard_t(3, (2, 4, 4, 90)) + counts[..., None] * rng.standard_t(3, (2, 1, 1, 90))
    sums[1] = np.abs(sums[1])  # no neuron of the rare stratum suppresses
    influence = sums.sum(axis=(1, 2)) / counts.sum(axis=(1, 2))[:, None]
    return InfluenceShard(("common", "rare"), influence, np.full((2, 90), 1e-3), sums, sums / 2, counts)


@pytest.fixture(scope="module")
def tables(shard):
    return measure_regime_tables(shard, compare=[["rare", "common"], ["bottom", "top"]], **OPTIONS)


def test_every_stratum_has_every_row(tables):
    keys = [(row.stratum, row.sign, row.convention) for row in tables["regimes"]]
    assert keys == [(s, sign, c) for s in ("common", "rare") for sign in SIGNS for c in CONVENTIONS]


def test_curves_are_those_of_the_stratum_where_all_quadrants_have_neurons(shard, tables):
    found = {(point.stratum, point.sign) for point in tables["curves"]}
    assert found == {("common", sign) for sign in SIGNS} | {("rare", "all"), ("rare", "boost")}
    curve = rank_curve(shard.cells("rare"), n_bins=6, n_resamples=10, confidence=0.9, seed=0)
    mine = [point.value for point in tables["curves"] if (point.stratum, point.sign) == ("rare", "all")]
    assert mine == curve.value.tolist()


def test_differences_are_of_declared_pairs_that_the_panel_has(tables):
    keys = [(row.stratum, row.other_stratum, row.sign, row.quantity) for row in tables["differences"]]
    assert keys == [("rare", "common", sign, quantity) for sign in SIGNS for quantity in QUANTITIES]


def test_one_sign_of_one_stratum_is_measured_on_its_neurons_alone(shard):
    boost = shard.influence[0] > 0
    expected = measure_spacing_regimes(
        shard.influence[0][boost],
        shard.influence_se[0][boost],
        shard.cells("common").of_neurons(boost),
        (),
        n_resamples=10,
        seed=0,
    )
    found = measure_shard_regimes(shard, stratum="common", sign="boost", n_resamples=10, seed=0)
    assert found.test == expected.test
    assert found.test.n_neurons == np.count_nonzero(boost)
    np.testing.assert_array_equal(found.resampled, expected.resampled)
