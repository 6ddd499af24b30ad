import numpy as np
import pytest

from rare_neurons.numerics.organisation.overlap import measure_overlap


def drawn(seed, n=200):
    rng = np.random.default_rng(seed)
    return rng, np.exp(rng.normal(0, 1, n)), rng.normal(size=n), rng.normal(size=n)


def test_counts_are_those_of_sets():
    rng, strength, one, other = drawn(0)
    for found in measure_overlap(one, other, strength, rng=rng, n_draws=99):
        tops = [set(np.argsort(-np.abs(v))[: found.n_set]) for v in (one, other)]
        assert found.overlap == len(tops[0] & tops[1])
        assert found.expected == found.n_set**2 / 200
    assert found.n_set == 40


def test_sets_that_share_strength_alone_are_as_expected_and_those_that_share_more_are_not():
    p = []
    for seed in range(60):
        rng, strength, one, other = drawn(seed)
        found = measure_overlap(strength * one, strength * other, strength, rng=rng, shares=(0.1,), n_draws=199)[0]
        p.append(found.p_value)
        assert found.null_median > found.expected
    assert np.mean(np.array(p) <= 0.05) <= 0.17  # 0.05 and four standard errors of 60
    alike = measure_overlap(one + 0.2 * other, one, strength, rng=rng, shares=(0.1,), n_draws=199)[0]
    assert alike.p_value == pytest.approx(0.01)


def test_other_lengths_are_refused():
    rng, strength, one, _ = drawn(0)
    with pytest.raises(ValueError, match="200 neurons expected"):
        measure_overlap(one, one[:5], strength, rng=rng)
