"""Resampled fits of the detection test, and differences of strata from one joint resample."""

import numpy as np
import pytest

from benchmarks.calibration.regimes import planted_curve
from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.regimes.null_tables import regime_null_table
from rare_neurons.numerics.regimes.resampled import (
    centred_interval,
    measure_spacing_regimes,
    of_sign,
    regime_differences,
)
from tests.numerics.regimes.cells import influence_of, planted_cells

N = 400


@pytest.fixture(scope="module")
def table():
    return regime_null_table(N, n_draws=400, seed=0)


def _strata(exponents, seed):
    rng = np.random.default_rng(seed)
    for exponent in exponents:
        effect = planted_curve(N, plateau_slope=0.05, exponent=exponent, shares=(0.05, 0.3))
        cells = planted_cells(rng, effect, noise=0.05)
        influence = influence_of(cells)
        yield influence, np.full(len(influence), 0.05 / np.sqrt(cells.counts.sum())), cells


def test_difference_of_strata_is_a_joint_resample(table):
    one, other = (
        measure_spacing_regimes(*stratum, [table], n_resamples=200, seed=1) for stratum in _strata((1.2, 0.6), 9)
    )
    rows = {row.quantity: row for row in regime_differences(one, other, confidence=0.9)}
    assert rows["rank_exponent"].value == pytest.approx(0.6, abs=0.15)
    assert 0 < rows["rank_exponent"].low <= rows["rank_exponent"].high
    same = regime_differences(one, one, confidence=0.9)
    assert [(row.value, row.low, row.high) for row in same] == [(0, 0, 0)] * 3


def test_difference_without_a_fit_says_so(table):
    (stratum,) = _strata((0.8,), 10)
    good = measure_spacing_regimes(*stratum, [table], n_resamples=20, seed=1)
    influence, _, cells = stratum
    loud = np.full(len(influence), 9.0)
    noisy = measure_spacing_regimes(influence, loud, cells, [table], n_resamples=20, seed=1)
    rows = regime_differences(good, noisy, confidence=0.9)
    assert {row.status for row in rows} == {"no_fit"}
    assert "above the noise floor" in rows[0].reason


def test_resamples_of_another_number_are_no_joint_resample(table):
    (stratum,) = _strata((0.8,), 11)
    few, many = (measure_spacing_regimes(*stratum, [table], n_resamples=n, seed=1) for n in (10, 20))
    with pytest.raises(ValueError, match="10 and 20 resamples, but a joint resample draws folds once for both"):
        regime_differences(few, many, confidence=0.9)


def test_an_interval_has_the_spread_of_the_resamples_around_the_estimate(table):
    (stratum,) = _strata((0.8,), 12)
    found = measure_spacing_regimes(*stratum, [table], n_resamples=200, seed=1)
    drawn, value = found.resampled[:, 2], found.test.rank_exponent
    assert np.isfinite(drawn).all()
    low, middle, high = np.quantile(drawn, [0.25, 0.5, 0.75])
    assert found.interval("rank_exponent", 0.5) == pytest.approx((value + low - middle, value + high - middle))
    low, high = found.interval("decay_start", 0.9)
    assert low <= found.test.decay_start <= high


def test_ranks_spread_by_ratios_and_stop_at_one():
    low, high = centred_interval(2.0, [10.0, 100.0, 1000.0], 1.0, is_rank=True)
    assert (low, high) == (1.0, pytest.approx(20.0))
    assert centred_interval(2.0, [np.nan, np.nan, 3.0], 0.9) == (None, None)


def test_strata_of_one_seed_are_drawn_jointly(table):
    # Two strata that are one another's multiple have the same fit in every resample.
    (influence, se, cells), *_ = _strata((0.8,), 13)
    other = CellSums(3 * cells.sums, cells.counts)
    one = measure_spacing_regimes(influence, se, cells, [table], n_resamples=30, seed=1)
    two = measure_spacing_regimes(3 * influence, 3 * se, other, [table], n_resamples=30, seed=1)
    np.testing.assert_allclose(two.resampled, one.resampled)


def test_zero_belongs_to_no_sign():
    influence = np.array([-1.0, 0.0, 2.0])
    assert [of_sign(influence, sign).tolist() for sign in ("all", "boost", "suppress")] == [
        [True, False, True],
        [False, False, True],
        [True, False, False],
    ]
