import numpy as np
import pytest

from rare_neurons.numerics.organisation.comparison import compare_set, drawn_only, share_as_far
from rare_neurons.numerics.organisation.matching import draw_matched_sets

N = 120


def setting(seed=0):
    rng = np.random.default_rng(seed)
    covariates = rng.normal(size=(N, 2))
    chosen = np.sort(rng.permutation(N)[:12])
    return rng, draw_matched_sets(chosen, covariates, rng, n_sets=99), np.setdiff1d(np.arange(N), chosen)[:12]


def statistic_of(values):
    return lambda sets: np.stack([values[sets].mean(1), -values[sets].mean(1)], axis=1)


def test_a_set_that_stands_out_has_the_smallest_p_in_its_tail_alone():
    rng, matched, placebo = setting()
    values = np.zeros(N)
    values[matched.chosen] = 1.0
    up, down = compare_set(statistic_of(values), matched, placebo, rng=rng, tails=("upper", "upper"))
    assert up.p_value == up.placebo_p == up.claim_p == 0.01
    assert up.status == "ok"
    assert down.p_value == 1.0
    assert (up.value, up.placebo_value, up.n_set) == (1.0, 0.0, 12)
    assert up.null_low <= up.null_median <= up.null_high < 1
    assert compare_set(statistic_of(values), matched, placebo, rng=rng, tails=("two-sided",) * 2)[1].p_value == 0.02


def test_p_is_uniform_where_the_statistic_does_not_know_the_set():
    found = []
    for seed in range(150):
        rng, matched, placebo = setting(seed)
        found.append(compare_set(statistic_of(rng.normal(size=N)), matched, placebo, rng=rng, tails=("upper",))[0])
    for name in ("p_value", "placebo_p"):
        share = np.mean([getattr(one, name) <= 0.2 for one in found])
        assert 0.1 < share < 0.3, name  # 0.2 within three standard errors of 150 draws


def test_fewer_random_sets_can_be_asked_for():
    rng, matched, placebo = setting()
    (found,) = compare_set(statistic_of(rng.normal(size=N)), matched, placebo, rng=rng, tails=("upper",), n_draws=19)
    assert found.n_permutations == 19


def test_a_set_that_is_its_placebo_cannot_be_told():
    rng, matched, _ = setting()
    (found,) = compare_set(statistic_of(rng.normal(size=N)), matched, matched.chosen, rng=rng, tails=("upper",))
    assert (found.status, found.claim_p) == ("not_identifiable", None)
    assert "1.00 of the set are its placebo (limit 0.75)" in found.reason


def test_a_convention_is_drawn_and_has_no_p():
    _, matched, _ = setting()
    found = drawn_only(matched, np.arange(100.0), "it follows the number of rows")
    assert (found.p_value, found.claim_p, found.status, found.value) == (None, None, "drawn_only", 0.0)
    assert found.null_median == 50


def test_the_observed_value_counts_as_one_of_the_draws():
    drawn = np.array([1.0, 2.0, 2.0, 3.0])
    assert share_as_far(drawn, 2.0, "upper") == pytest.approx(4 / 5)
    assert share_as_far(drawn, 0.0, "lower") == pytest.approx(1 / 5)
    assert share_as_far(drawn, 9.0, "two-sided") == pytest.approx(2 / 5)
