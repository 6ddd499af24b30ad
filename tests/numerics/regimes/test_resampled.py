"""Resampled fits of the detection test, and differences of strata from one joint resample."""

import numpy as np
import pytest

from benchmarks.calibration.regimes import planted_curve
from rare_neurons.numerics.panel.folds import FoldSums
from rare_neurons.numerics.regimes.null_tables import regime_null_table
from rare_neurons.numerics.regimes.resampled import measure_spacing_regimes, of_sign, regime_differences

N = 400
HALF = np.arange(64) % 2


@pytest.fixture(scope="module")
def table():
    return regime_null_table(N, n_draws=400, seed=0)


def _strata(exponents, seed):
    rng, counts = np.random.default_rng(seed), np.full(64, 100)
    for exponent in exponents:
        effect = planted_curve(N, plateau_slope=0.05, exponent=exponent, shares=(0.05, 0.3))
        sums = counts[:, None] * effect + 0.2 * np.sqrt(counts)[:, None] * rng.standard_normal((64, N))
        influence = sums.sum(axis=0) / counts.sum()
        kept = influence != 0
        folds = FoldSums.of(sums[:, kept], counts=counts, half=HALF)
        yield influence[kept], np.full(kept.sum(), 0.2 / np.sqrt(counts.sum())), folds


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
    influence, _, folds = stratum
    loud = np.full(len(influence), 9.0)
    noisy = measure_spacing_regimes(influence, loud, folds, [table], n_resamples=20, seed=1)
    rows = regime_differences(good, noisy, confidence=0.9)
    assert {row.status for row in rows} == {"no_fit"}
    assert "above the noise floor" in rows[0].reason


def test_resamples_of_another_number_are_no_joint_resample(table):
    (stratum,) = _strata((0.8,), 11)
    few, many = (measure_spacing_regimes(*stratum, [table], n_resamples=n, seed=1) for n in (10, 20))
    with pytest.raises(ValueError, match="10 and 20 resamples, but a joint resample draws folds once for both"):
        regime_differences(few, many, confidence=0.9)


def test_an_interval_holds_the_asked_share_of_the_resamples(table):
    (stratum,) = _strata((0.8,), 12)
    found = measure_spacing_regimes(*stratum, [table], n_resamples=200, seed=1)
    drawn = found.resampled[:, 2]
    assert np.isfinite(drawn).all()
    assert found.interval("rank_exponent", 0.5) == pytest.approx(np.quantile(drawn, [0.25, 0.75]))


def test_zero_belongs_to_no_sign():
    influence = np.array([-1.0, 0.0, 2.0])
    assert [of_sign(influence, sign).tolist() for sign in ("all", "boost", "suppress")] == [
        [True, False, True],
        [False, False, True],
        [True, False, False],
    ]
