import numpy as np
import pytest
from scipy.stats import kurtosis

from rare_neurons.numerics.influence.inequality import inequality


def test_known_answers():
    alone = inequality([0, 0, 0, 0, 0, 0, 0, -2.0], np.zeros(8))
    assert alone.gini == pytest.approx(7 / 8)
    assert alone.participation_ratio == pytest.approx(1)
    assert alone.excess_kurtosis_without_top is None  # what is left is constant
    equal = inequality([1.0, -1.0] * 5, np.zeros(10))
    assert equal.gini == pytest.approx(0)
    assert equal.participation_ratio == pytest.approx(10)
    assert equal.excess_kurtosis == pytest.approx(-2)


def test_scale_free_even_for_tiny_influences():
    x = np.random.default_rng(0).standard_t(3, 100)
    one, tiny = inequality(x, np.full(100, 0.1)), inequality(x * 1e-90, np.full(100, 1e-91))
    for name in ("gini", "participation_ratio", "excess_kurtosis", "excess_kurtosis_noise_corrected"):
        assert getattr(tiny, name) == pytest.approx(getattr(one, name), rel=1e-9)
    assert one.excess_kurtosis == pytest.approx(kurtosis(x))


def test_noise_correction_recovers_the_kurtosis_of_the_effects():
    rng, raw, corrected = np.random.default_rng(1), [], []
    for _ in range(60):
        se = rng.uniform(0.5, 1.0, 4000)
        found = inequality(rng.laplace(size=4000) + se * rng.standard_normal(4000), se)
        raw.append(found.excess_kurtosis)
        corrected.append(found.excess_kurtosis_noise_corrected)
    assert abs(np.mean(corrected) - 3) < 4 * np.std(corrected) / np.sqrt(60) + 0.05  # Laplace has 3; ratios are biased
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
