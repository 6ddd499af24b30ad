import numpy as np
import pytest

from rare_neurons.numerics.organisation.interaction import measure_interaction
from rare_neurons.numerics.organisation.matching import draw_matched_sets


def setting(n=100, g=6, draws=99):
    rng = np.random.default_rng(0)
    matched = draw_matched_sets(rng.permutation(n)[:g], rng.normal(size=(n, 2)), rng, n_sets=draws)
    single = rng.normal(size=n)
    sets = np.concatenate([matched.chosen[None], matched.sets])
    return rng, matched, single, single[sets].sum(1)


def test_an_additive_network_has_no_interaction_and_a_planted_one_is_found():
    rng, matched, single, sums = setting()
    noise = 0.01 * rng.normal(size=len(sums))
    additive = measure_interaction(sums + noise, single, matched, joint_within=0.5, n_targets=40)
    assert additive.interaction == pytest.approx(noise[0])
    assert additive.sum_influence == pytest.approx(sums[0])
    assert additive.p_value > 0.05
    planted = sums + noise
    planted[0] += 0.1
    found = measure_interaction(planted, single, matched, joint_within=0.5, n_targets=40)
    assert found.p_value == pytest.approx(0.02)  # two-sided, 99 sets
    assert (found.joint_influence_within, found.n_targets, found.status) == (0.5, 40, "ok")


@pytest.mark.parametrize(("placebo", "claim"), [(0.0, 0.02), (0.2, 1.0), (None, None)])
def test_a_claim_goes_beyond_the_placebo_on_its_side(placebo, claim):
    rng, matched, single, sums = setting()
    for sign in (1, -1):
        beyond = 0.01 * rng.normal(size=len(sums))
        beyond[0] += sign * 0.1
        beside = None if placebo is None else sign * placebo
        found = measure_interaction(sums + beyond, single, matched, joint_within=0.0, n_targets=40, placebo=beside)
        assert found.p_value == pytest.approx(0.02)
        assert (found.placebo_interaction, found.claim_p) == (beside, claim and pytest.approx(claim))


def test_without_matched_sets_nothing_is_tested():
    _, matched, single, sums = setting()
    found = measure_interaction(sums[:1], single, matched, joint_within=0.0, n_targets=40)
    assert (found.p_value, found.null_median, found.status) == (None, None, "robustness")


def test_too_few_sets_or_a_missing_neuron_are_refused():
    _, matched, single, sums = setting()
    with pytest.raises(ValueError, match="10 matched sets were ablated of 99; use none or 99"):
        measure_interaction(sums[:11], single, matched, joint_within=0.0, n_targets=40)
    single[matched.chosen[0]] = np.nan
    with pytest.raises(ValueError, match="hold a neuron without single effect"):
        measure_interaction(sums[:1], single, matched, joint_within=0.0, n_targets=40)
