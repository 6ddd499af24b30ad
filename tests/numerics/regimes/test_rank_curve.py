"""The cross-fitted curve, against a neuron-by-neuron reference and planted means."""

import numpy as np
import pytest

from rare_neurons.numerics.panel.folds import FoldSums
from rare_neurons.numerics.regimes.rank_curve import log_bins, rank_curve, split_half_reliability
from tests.reference.regimes import slow_rank_curve

HALF = np.arange(64) % 2


def _folds(rng, effect, noise=0.3):
    counts = rng.integers(80, 120, 64)
    sums = counts[:, None] * effect + noise * np.sqrt(counts)[:, None] * rng.standard_normal((64, len(effect)))
    return FoldSums.of(sums, counts=counts, half=HALF)


def test_curve_equals_a_neuron_by_neuron_reference():
    rng = np.random.default_rng(0)
    folds = _folds(rng, rng.standard_t(2, 200) * 0.01)
    curve = rank_curve(folds, seed=1)
    np.testing.assert_allclose(
        curve.value, slow_rank_curve(folds.sums, folds.counts, HALF, curve.rank_low, curve.rank_high), rtol=1e-12
    )


def test_bins_cover_every_rank_once():
    for n in (2, 3, 17, 384, 4096):
        low, high = log_bins(n, 24)
        assert low[0] == 1
        assert high[-1] == n
        assert (low[1:] == high[:-1] + 1).all()
        assert (high >= low).all()


@pytest.mark.parametrize("sign", ["all", "boost", "suppress"])
def test_pure_noise_averages_to_zero_at_every_rank(sign):
    rng = np.random.default_rng(2)
    values = []
    for _ in range(150):
        folds = _folds(rng, np.zeros(100))
        values.append(rank_curve(folds, sign=sign, n_bins=5, n_resamples=2, seed=0).value[:4])
    mean, se = np.mean(values, axis=0), np.std(values, axis=0) / np.sqrt(len(values))
    assert (np.abs(mean) < 4 * se).all(), (mean, se)


def test_curve_recovers_the_planted_mean_of_each_bin():
    rng = np.random.default_rng(3)
    effect = 0.5 * np.arange(1, 301) ** -0.7
    folds = _folds(rng, effect, noise=0.01)
    curve = rank_curve(folds, seed=0)
    planted = [effect[low - 1 : high].mean() for low, high in zip(curve.rank_low, curve.rank_high, strict=True)]
    np.testing.assert_allclose(curve.value, planted, rtol=0.03)


def test_interval_covers_the_value_in_expectation():
    rng, covered = np.random.default_rng(4), []
    effect = np.where(np.arange(60) < 20, 0.3, 0.1)  # no sign is ever in doubt, so the bin reads their mean
    for k in range(200):
        folds = _folds(rng, effect)
        curve = rank_curve(folds, n_bins=1, seed=k)
        covered.append(curve.low[0] <= effect.mean() <= curve.high[0])
    assert 0.83 <= np.mean(covered) <= 0.96


def test_boost_ignores_the_reading_half_sign():
    sums = np.zeros((4, 6))
    sums[:2] = [1, 2, 3, -1, -2, -3]  # half A
    sums[2:] = [-1, -2, -3, 1, 2, 3]  # half B disagrees throughout
    curve = rank_curve(FoldSums.of(sums, counts=np.ones(4), half=[0, 0, 1, 1]), sign="boost", n_bins=1, seed=0)
    assert curve.n_neurons == 3
    assert curve.value[0] == -2


def test_same_seed_draws_the_same_folds():
    rng = np.random.default_rng(5)
    folds = _folds(rng, np.full(50, 0.2))
    one, two = (rank_curve(FoldSums(k * folds.sums, folds.counts, HALF), seed=7).resampled for k in (1, 2))
    np.testing.assert_allclose(two, 2 * one)


def test_errors_say_what_is_wrong():
    four = FoldSums.of(np.ones((4, 5)), counts=np.ones(4), half=[0, 0, 1, 1])
    with pytest.raises(ValueError, match="half B has 0 folds"):
        rank_curve(FoldSums(four.sums, four.counts, np.zeros(4)), seed=0)
    with pytest.raises(ValueError, match="1 of 20 fold sums are not finite"):
        rank_curve(FoldSums(np.where(np.eye(4, 5) * np.arange(5) == 3, np.nan, 1.0), four.counts, four.half), seed=0)
    with pytest.raises(ValueError, match="0 neurons of sign 'suppress'"):
        rank_curve(four, sign="suppress", seed=0)
    with pytest.raises(ValueError, match="resamples hold no target: 1 folds have any"):
        rank_curve(FoldSums.of(np.ones((20, 5)), counts=np.arange(20) < 2, half=np.arange(20) % 2), seed=0)
    with pytest.raises(ValueError, match="unknown sign 'up'"):
        rank_curve(four, sign="up", seed=0)
    with pytest.raises(ValueError, match=r"confidence=90, but the coverage of an interval lies in \(0, 1\)"):
        rank_curve(four, confidence=90, seed=0)


def test_reliability_of_known_vectors():
    same = split_half_reliability([1.0, 2.0, 4.0, 8.0], [1.0, 4.0, 16.0, 64.0])
    assert same.spearman == pytest.approx(1)
    assert 0.9 < same.pearson < 1
    assert split_half_reliability([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]).pearson is None
