"""Indices of inequality: known answers, noise-only twins, and effective numbers that noise does not spread."""

import numpy as np
import pytest
from scipy.stats import kurtosis

from rare_neurons.numerics.influence.inequality import (
    effective_neurons,
    expected_noise_gini,
    inequality,
    measure_inequality,
)
from rare_neurons.numerics.influence.shard import InfluenceShard
from tests.numerics.regimes.cells import planted_cells


def test_known_answers():
    alone = inequality([0, 0, 0, 0, 0, 0, 0, -2.0], np.zeros(8))
    assert alone.gini == pytest.approx(7 / 8)
    assert alone.gini_noise is None
    assert alone.excess_kurtosis_without_top is None  # what is left is constant
    equal = inequality([1.0, -1.0] * 5, np.zeros(10))
    assert equal.gini == pytest.approx(0)
    assert equal.excess_kurtosis == pytest.approx(-2)


def test_scale_free_even_for_tiny_influences():
    x = np.random.default_rng(0).standard_t(3, 100)
    one, tiny = inequality(x, np.full(100, 0.1)), inequality(x * 1e-90, np.full(100, 1e-91))
    for name in ("gini", "gini_noise", "excess_kurtosis", "excess_kurtosis_noise_corrected"):
        assert getattr(tiny, name) == pytest.approx(getattr(one, name), rel=1e-9)
    assert one.excess_kurtosis == pytest.approx(kurtosis(x))


def test_the_gini_of_noise_is_the_ratio_of_expected_differences():
    rng, n = np.random.default_rng(1), 7
    se = rng.lognormal(size=n)
    drawn = np.abs(rng.standard_normal((20_000, n)) * se)
    distances = np.abs(drawn[:, :, None] - drawn[:, None, :]).sum(axis=(1, 2))
    # 20,000 draws know both means to half a per cent.
    assert expected_noise_gini(se) == pytest.approx(distances.mean() / (2 * n * drawn.sum(axis=1).mean()), rel=0.02)
    assert expected_noise_gini(np.ones(900)) == pytest.approx((np.sqrt(2) - 1) * 899 / 900)


def test_noise_has_the_gini_of_its_twin():
    rng = np.random.default_rng(3)
    se = rng.uniform(0.1, 1, 2000)
    found = inequality(se * rng.standard_normal(2000), se)
    assert found.gini == pytest.approx(found.gini_noise, abs=0.02)


def test_noise_correction_recovers_the_kurtosis_of_the_effects():
    rng, raw, corrected = np.random.default_rng(1), [], []
    for _ in range(60):
        se = rng.uniform(0.5, 1.0, 2000)
        found = inequality(rng.laplace(size=2000) + se * rng.standard_normal(2000), se)
        raw.append(found.excess_kurtosis)
        corrected.append(found.excess_kurtosis_noise_corrected)
    assert abs(np.mean(corrected) - 3) < 4 * np.std(corrected) / np.sqrt(60) + 0.1  # Laplace has 3; ratios are biased
    assert np.mean(raw) < 2.2


def test_pure_noise_has_no_corrected_kurtosis():
    rng = np.random.default_rng(2)
    found = inequality(rng.standard_normal(500), np.ones(500))
    assert found.status == "noise_dominated"
    assert found.excess_kurtosis_noise_corrected is None
    assert found.excess_kurtosis is not None
    assert "beyond noise" in found.reason


def test_degenerate_inputs_have_a_status():
    assert inequality(np.zeros(9), np.zeros(9)).status == "constant"
    same = inequality(np.full(9, 0.3), np.zeros(9))
    assert (same.status, same.gini, same.excess_kurtosis) == ("constant", pytest.approx(0), None)
    assert inequality([1.0, 2.0], [0.0, 0.0]).status == "too_few"
    with pytest.raises(ValueError, match="must be finite"):
        inequality([1.0, np.nan, 2, 3, 4], np.zeros(5))


def test_effective_numbers_count_the_planted_neurons_whatever_the_noise_of_the_others():
    rng, found = np.random.default_rng(4), []
    effect = np.where(np.arange(60) < 5, 0.2, 0.0)
    for _ in range(6):
        cells = planted_cells(rng, effect, type_sd=0.1)
        found.append(effective_neurons(cells))
    assert {one.status for one in found} == {"ok"}
    assert np.median([one.value for one in found]) == pytest.approx(5, rel=0.3)
    naive = np.square(cells.sums.sum((0, 1)) / cells.counts.sum())
    assert naive.sum() ** 2 / np.square(naive).sum() > 6


def test_without_an_effect_there_is_no_effective_number():
    cells = planted_cells(np.random.default_rng(5), np.zeros(50), type_sd=0.3)
    found = effective_neurons(cells)
    assert (found.status, found.value) == ("unresolved", None)
    assert "resolved means more than" in found.reason


def test_a_row_has_the_indices_of_its_stratum_and_of_the_part_within():
    rng = np.random.default_rng(6)
    whole, within = (planted_cells(rng, np.where(np.arange(40) < k, 0.5, 0.0)) for k in (8, 2))
    counts = np.stack([whole.counts, whole.counts])
    influence = np.stack([cells.sums.sum((0, 1)) / cells.counts.sum() for cells in (whole, within)])
    sums = np.stack([whole.sums, within.sums]), np.stack([within.sums, 0 * within.sums])
    shard = InfluenceShard(("common", "rare"), influence, np.full((2, 40), 0.01), *sums, counts)
    common, rare = measure_inequality(shard)["inequality"]
    assert common.effective_number == pytest.approx(8, rel=0.2)
    assert common.effective_number_low <= common.effective_number <= common.effective_number_high
    assert common.effective_number_within == pytest.approx(2, rel=0.2)
    assert (common.effective_number_status, common.effective_number_reason) == ("ok", None)
    assert (rare.effective_number_within_status, rare.effective_number_within) == ("unresolved", None)
    assert common.gini == inequality(influence[0], np.full(40, 0.01)).gini
