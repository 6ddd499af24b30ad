import numpy as np
import pytest

from rare_neurons.numerics.organisation.matching import draw_matched_sets
from rare_neurons.numerics.organisation.routing import HeadEffects, measure_routing, relative_change

N, HEADS = 120, [(0, 0), (0, 1), (1, 0), (1, 1), (0, None), (2, 0)]


def drawn(seed, shift=0.0):
    """Effects of four heads, a layer and a head that cannot act; `shift` of one head on the set's neurons."""
    rng = np.random.default_rng(seed)
    matched = draw_matched_sets(rng.permutation(N)[:10], rng.normal(size=(N, 2)), rng, n_sets=99)
    neuron = rng.normal(size=N)  # neurons that every head reaches more on the first stratum
    own, other = np.exp(rng.normal(0, 0.3, (2, 6, N)))
    own *= np.exp(neuron)
    own[2, matched.chosen] *= np.exp(shift)
    own[5] = other[5] = 0
    return matched, HeadEffects(HEADS, own, other, 50)


def rows_of(seed, shift=0.0):
    matched, effects = drawn(seed, shift)
    return matched, effects, measure_routing(effects, matched, stratum="rare", against="common")


def test_values_are_their_definitions():
    matched, effects, rows = rows_of(0)
    ratio = np.log(effects.own[:4] / effects.other[:4])
    centred = (ratio - ratio.mean(0))[:, matched.chosen].mean(1)
    np.testing.assert_allclose([row.log_ratio_centred for row in rows[:4]], centred)
    np.testing.assert_allclose([row.log_ratio for row in rows[:4]], ratio[:, matched.chosen].mean(1))
    np.testing.assert_allclose([r.head_effect for r in rows[:5]], effects.own[:5, matched.chosen].mean(1))
    assert [row.status for row in rows] == ["ok"] * 4 + ["layer", "cannot_act"]
    assert (rows[5].head_effect, rows[5].p_value, rows[4].p_max) == (0.0, None, None)
    assert rows[5].log_ratio is None


def test_a_planted_route_is_found_and_only_there():
    *_, rows = rows_of(1, shift=1.0)
    assert rows[2].p_value == pytest.approx(0.02)
    assert {row.p_max for row in rows[:4]} == {0.01}
    assert rows[2].log_ratio_centred > max(row.log_ratio_centred for row in rows[:2])


def test_what_all_heads_share_is_no_route():
    p = np.array([rows_of(seed)[2][0].p_max for seed in range(80)])
    assert np.mean(p <= 0.1) <= 0.22  # 0.1 and more than three standard errors of 80


def test_effects_are_in_each_strata_own_standard_deviation():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(400, 3)) * [1, 5, 0]
    found = relative_change(before, before + np.array([0.5, 0.5, 0]))
    np.testing.assert_allclose(found[:2], 0.5 / before[:, :2].std(0))
    assert np.isnan(found[2])


def test_neurons_that_never_vary_are_left_out():
    matched, effects = drawn(2)
    silent = int(matched.chosen[3])
    effects.own[:, silent] = np.nan
    rows = measure_routing(effects, matched, stratum="rare", against="common")
    rest = np.setdiff1d(matched.chosen, [silent])
    assert rows[0].head_effect == pytest.approx(effects.own[0, rest].mean())
    assert rows[0].status == "ok"
    one = HeadEffects(HEADS[:1], effects.own[:1], effects.other[:1], 50)
    assert measure_routing(one, matched, stratum="rare", against="common")[0].status == "undefined"
