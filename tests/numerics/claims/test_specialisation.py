"""Statistics behind claims: right where the truth is planted, quiet where there is none."""

import numpy as np
import pytest

from rare_neurons.numerics.claims.controls import Controls, Null
from rare_neurons.numerics.claims.judge import judge_claim
from rare_neurons.numerics.claims.specialisation import (
    evidence_of,
    inequality_beyond,
    mean_over_runs,
    regime_gain,
    within_beyond,
)
from rare_neurons.numerics.influence.shard import InfluenceShard

FOLDS = 64
DRAWS = {"n_resamples": 199, "seed": 0}


def shard(rng, effects, *, noise=1.0, targets=125):
    """Folds of `targets` targets each, whose changes of loss are the effects [stratum, neuron] plus noise."""
    effects = np.asarray(effects, dtype=float)
    error = noise * np.sqrt(targets) * rng.standard_normal((len(effects), FOLDS, effects.shape[1]))
    sums = targets * effects[:, None, :] + error
    return InfluenceShard(
        strata=("common", "rare")[: len(effects)],
        influence=sums.sum(axis=1) / (FOLDS * targets),
        influence_se=np.full(effects.shape, noise / np.sqrt(FOLDS * targets)),
        fold_sum=sums,
        fold_n=np.full((len(effects), FOLDS), targets),
        half_of_fold=np.repeat([0, 1], FOLDS // 2),
    )


def test_cross_fitted_square_is_free_of_noise():
    """Planted mean squares 0.04 and 0.01 under noise of 1: the root of 0.03, where squared means would say more."""
    rng = np.random.default_rng(1)
    effects = np.stack([np.full(400, 0.1), np.full(400, 0.2)])
    found = [within_beyond(shard(rng, effects), stratum="rare", other="common", **DRAWS).value for _ in range(20)]
    # The standard error over 20 shards of 400 neurons is about 4e-4.
    assert np.mean(np.square(found)) == pytest.approx(0.03, abs=2e-3)


def test_false_positives_of_the_contrast_are_rare():
    rng = np.random.default_rng(2)
    effects = np.tile(0.01 * rng.standard_normal(60), (2, 1))
    p = np.array(
        [within_beyond(shard(rng, effects), stratum="rare", other="common", **DRAWS).null_p for _ in range(200)]
    )
    # 5 % of 200 are 10; the bootstrap's products carry noise twice and make the test conservative. 18 is 2.6 sd more.
    assert np.count_nonzero(p <= 0.05) <= 18


def test_a_planted_contrast_is_found_and_its_interval_holds_it():
    rng = np.random.default_rng(3)
    effects = np.stack([np.zeros(300), 0.02 * rng.standard_normal(300)])
    truth = np.sqrt(np.mean(effects[1] ** 2))
    statistics = [within_beyond(shard(rng, effects), stratum="rare", other="common", **DRAWS) for _ in range(40)]
    assert max(s.null_p for s in statistics) < 0.05
    covered = [evidence_of(s, 0.9, 1).low <= truth <= evidence_of(s, 0.9, 1).high for s in statistics]
    assert np.mean(covered) >= 0.85  # planned 0.9, standard error 0.05; the interval is wide rather than narrow


def test_inequality_is_that_of_the_neurons():
    rng = np.random.default_rng(4)
    one_alone = np.zeros(200)
    one_alone[0] = 5.0
    effects = np.stack([np.ones(200), one_alone])
    found = inequality_beyond(shard(rng, effects, noise=1e-3), stratum="rare", other="common", **DRAWS)
    assert found.value == pytest.approx(199 / 200, abs=1e-2)  # (n - 1) / n for one neuron alone, 0 for equal ones
    assert found.null_p <= 0.01
    same = inequality_beyond(shard(rng, np.ones((2, 200)), noise=1.0), stratum="rare", other="common", **DRAWS)
    assert same.null_p > 0.05


def test_regime_gain_is_the_test_statistic_or_zero():
    rng = np.random.default_rng(5)
    rank = np.arange(1, 401)
    regimes = np.where(rank <= 60, rank**-0.02, np.where(rank <= 150, (rank / 60.0) ** -1.2, 0.3))
    decay = regimes * np.where(rank > 150, (rank / 150.0) ** -4.0, 1.0)
    planted = shard(rng, [decay * rng.choice([-1, 1], 400)], noise=1e-4)
    found = regime_gain(planted, stratum="common", sign="all", null_p=0.01, **DRAWS)
    assert found.value > 10
    evidence = evidence_of(found, 0.9, 1)
    assert 0 < evidence.low <= found.value <= evidence.high
    falling = shard(rng, [np.exp(np.geomspace(5, 0.01, 400))], noise=1e-6)  # ever flatter: levels cannot rise
    flat = regime_gain(falling, stratum="common", sign="all", null_p=1.0, **DRAWS)
    assert (flat.value, flat.null_p) == (0.0, 1.0)
    assert regime_gain(planted, stratum="common", sign="all", null_p=None, **DRAWS) is None  # no null table
    noise = shard(rng, [np.zeros(400)])
    below_noise = regime_gain(noise, stratum="common", sign="all", null_p=None, **DRAWS)
    assert (below_noise.value, below_noise.null_p) == (0.0, 1.0)


def test_a_claim_about_runs_has_to_hold_in_each():
    rng = np.random.default_rng(6)
    effects = np.stack([np.zeros(100), 0.05 * rng.standard_normal(100)])
    runs = [
        within_beyond(shard(rng, e), stratum="rare", other="common", **DRAWS) for e in (effects, np.zeros((2, 100)))
    ]
    joint = mean_over_runs(runs)
    assert joint.null_p == max(run.null_p for run in runs) > 0.05
    assert joint.value == pytest.approx(np.mean([run.value for run in runs]))
    assert mean_over_runs([runs[0], None]) is None
    assert mean_over_runs([]) is None


def test_noise_is_never_a_supported_claim():
    """A run without any effect, judged as a control is: by the null and one other control alone."""
    rng = np.random.default_rng(7)
    supported = 0
    for _ in range(60):
        run, start = (
            within_beyond(shard(rng, np.zeros((2, 50))), stratum="rare", other="common", **DRAWS) for _ in range(2)
        )
        claim = judge_claim(
            "noise",
            evidence_of(run, 0.9, 1),
            controls=Controls(evidence_of(start, 0.9, 1), None, own="the shuffled run"),
            null=Null("none", run.null_p, run.null_p),
            sample_unit="context",
        )
        supported += claim.verdict == "supported"
    assert supported <= 4  # 5 % by the null alone are 3; the control takes most of them
