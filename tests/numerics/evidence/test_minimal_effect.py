import numpy as np
import pytest

from rare_neurons.numerics.evidence.minimal_effect import average_effect, power_factor, run_effect, single_effect
from rare_neurons.numerics.evidence.noise_draws import draw_noise
from rare_neurons.numerics.evidence.run import detect_change
from tests.numerics.evidence.worlds import exactly, means


def test_a_single_checkpoint_needs_two_and_two_thirds_standard_errors():
    assert single_effect(0.1, 11) == pytest.approx(0.265, abs=0.002)


@pytest.mark.parametrize(("runs", "factor"), [(3, 1.529), (4, 1.320), (5, 1.227), (9, 1.105)])
def test_factors_for_few_runs(runs, factor):
    assert power_factor(runs - 1, 0.05, 0.8) == pytest.approx(factor, abs=0.002)


def test_the_average_effect_is_found_in_four_of_five():
    rng = np.random.default_rng(0)
    n, draws, bound = 3, 4000, 2.920
    spread = rng.standard_normal((draws, n))
    other = rng.standard_normal((draws, n)).std(1, ddof=1) / np.sqrt(n)
    effects = np.array([average_effect(se, n - 1) for se in other])
    t = (spread.mean(1) + effects) / (spread.std(1, ddof=1) / np.sqrt(n))
    assert np.mean(t > bound) == pytest.approx(0.8, abs=0.025)


def test_an_effect_of_the_runs_minimal_size_is_found_by_the_rule():
    rng = np.random.default_rng(1)
    sizes, found = [], []
    step = (np.arange(12) >= 6).astype(float)
    for _ in range(12):
        series, noise = means(np.zeros(12), rng), draw_noise(n_folds=12, rng=rng, draws=499)
        bound = detect_change(series, noise=noise).critical_value
        sizes.append(run_effect(series, noise=noise, critical_value=bound, first=6))
    for _ in range(200):
        series, noise = means(np.median(sizes) * step, rng), draw_noise(n_folds=12, rng=rng, draws=299)
        found.append(detect_change(series, noise=noise).status == "changed")
    assert 0.68 <= np.mean(found) <= 0.9


def test_refusals():
    rng = np.random.default_rng(2)
    noise = draw_noise(n_folds=12, rng=rng, draws=99)
    with pytest.raises(ValueError, match="must begin at 1 to 4"):
        run_effect(means(np.zeros(6), rng), noise=noise, critical_value=3.0, first=5)
    with pytest.raises(ValueError, match="no noise at a checkpoint from 1"):
        run_effect(exactly(np.zeros(6)), noise=noise, critical_value=3.0, first=1)
