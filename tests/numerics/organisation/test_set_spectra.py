"""Set spectra against correlations from first principles, and small copies of their calibration."""

import numpy as np
import pytest

from benchmarks.calibration.set_designs import deciles
from benchmarks.calibration.set_spectra import false_positives, power
from rare_neurons.numerics.organisation.edge import edge_sets
from rare_neurons.numerics.organisation.matching import draw_matched_sets, exchanged_pairs, placebo_set
from rare_neurons.numerics.organisation.set_spectra import measure_set_spectrum


def neurons(n=200, d=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.lognormal(size=(n, 3))


def matched_to(chosen, covariates, n_sets=99, seed=1):
    return draw_matched_sets(chosen, covariates, np.random.default_rng(seed), n_sets=n_sets)


def measure(rows, chosen, covariates, placebo=None, n_sets=99, **options):
    placebo = np.arange(len(rows) - len(chosen), len(rows)) if placebo is None else placebo
    options = {"rng": np.random.default_rng(2)} | options
    return measure_set_spectrum(rows, matched_to(chosen, covariates, n_sets), placebo, **options)


def top(rows, chosen):
    return np.linalg.eigvalsh(np.corrcoef(rows[chosen]))[-1]


@pytest.mark.parametrize(("width", "size"), [(40, 5), (8, 30)])  # rows wider and narrower than the set
def test_top_eigenvalues_are_those_of_the_correlation_matrices(width, size):
    rows, covariates = neurons(d=width)
    chosen, placebo = np.arange(size), np.arange(100, 100 + size)
    result = measure(rows, chosen, covariates, placebo)
    assert result.top_eigenvalue == pytest.approx(top(rows, chosen), rel=1e-12)
    assert result.placebo_top_eigenvalue == pytest.approx(top(rows, placebo), rel=1e-12)
    assert result.placebo_excess == pytest.approx(np.log(top(rows, chosen) / top(rows, placebo)), rel=1e-9)
    assert (result.n_set, result.n_permutations) == (size, 99)


def test_null_and_p_value_are_those_of_the_adjusted_random_sets():
    rows, covariates = neurons()
    chosen = np.arange(12)
    result, matched = measure(rows, chosen, covariates), matched_to(chosen, covariates)
    values = np.array([top(rows, one) for one in [chosen, *matched.sets]])
    # Independent of `adjusted`: residuals of least squares with an intercept, moved to the set's fitted value.
    design = np.c_[np.ones(100), matched.balance]
    fitted = design @ np.linalg.lstsq(design, np.log(values), rcond=None)[0]
    null = np.exp(np.log(values) - fitted + fitted[0])[1:]
    assert result.p_value == (np.count_nonzero(null >= values[0]) + 1) / 100
    assert (result.null_low, result.null_median, result.null_high) == pytest.approx(
        np.quantile(null, [0.05, 0.5, 0.95])
    )
    assert result.shared == matched.shared


def test_excess_is_compared_with_exchanges_between_set_and_placebo():
    rows, covariates = neurons()
    rows[:12] += 0.4 * rows[150]
    chosen, placebo = np.arange(12), np.arange(6, 18)
    result = measure(rows, chosen, covariates, placebo, rng=np.random.default_rng(8))
    pairs = zip(*exchanged_pairs(chosen, placebo, np.random.default_rng(8), n_pairs=99), strict=True)
    excess = np.array([np.log(top(rows, one) / top(rows, other)) for one, other in pairs])
    assert result.placebo_excess_p == (np.count_nonzero(excess >= result.placebo_excess - 1e-9) + 1) / 100
    assert result.placebo_shared == 0.5
    assert result.claim_p == max(result.p_value, result.placebo_excess_p)


def test_a_common_direction_of_the_strongest_neurons_is_no_finding_about_others():
    # The forty strongest share a direction; a set that holds half of them exceeds like sets, but not the strongest.
    rng = np.random.default_rng(4)
    rows, strength = rng.standard_normal((300, 64)), np.sort(rng.lognormal(size=300))[::-1]
    rows[:40] += 0.5 * rng.standard_normal(64)
    placebo = placebo_set(rows / np.linalg.norm(rows, axis=1, keepdims=True) * strength[:, None], np.ones(300), 20)
    chosen = np.r_[np.arange(25, 37), rng.permutation(np.arange(60, 300))[:8]]
    covariates = rng.standard_normal((300, 3))  # nothing that tells of strength: matching alone is blind
    result = measure(rows, chosen, covariates, placebo)
    assert result.p_value == 0.01
    assert result.placebo_excess_p > 0.5
    assert result.claim_p == result.placebo_excess_p


def test_sets_of_strong_neurons_are_no_finding_where_strong_neurons_are_alike():
    # Layers as training makes them: rows share one direction, the more the stronger they are.
    p_propensity, p_decile, rng = [], [], np.random.default_rng(12)
    for _ in range(40):
        strength = rng.standard_normal(300)
        share = np.minimum(0.05 * np.exp(1.2 * strength), 0.8)[:, None]
        rows = np.sqrt(1 - share) * rng.standard_normal((300, 48)) + np.sqrt(share) * rng.standard_normal(48)
        covariates = np.c_[strength, rng.standard_normal((300, 2))]
        chosen = np.argsort(-strength - 0.25 * rng.standard_normal(300))[:15]
        p_propensity.append(measure(rows, chosen, covariates, rng=rng).p_value)
        random = np.array([top(rows, one) for one in deciles(chosen, covariates, rng, 19)])
        p_decile.append((1 + (random >= top(rows, chosen)).sum()) / 20)
    # 40 sets at 5 %: 99.9 % of binomial draws are at most 7
    assert np.sum(np.array(p_propensity) <= 0.05) <= 7
    assert np.sum(np.array(p_decile) <= 0.05) > 20


def test_sets_that_are_chosen_by_covariates_or_are_the_placebo_claim_nothing():
    rows, covariates = neurons(n=300)
    strongest = np.argsort(-covariates[:, 0])[:15]
    result = measure(rows, strongest, covariates)
    assert (result.status, result.claim_p) == ("not_identifiable", None)
    assert result.reason.startswith("random sets of like neurons share 0.")
    chosen = np.random.default_rng(5).permutation(300)[:15]
    same = measure(rows, chosen, covariates, placebo=np.r_[chosen[:12], np.setdiff1d(np.arange(300), chosen)[:3]])
    assert (same.status, same.claim_p) == ("not_identifiable", None)
    assert same.reason.startswith("0.80 of the set are its placebo (limit 0.75)")
    other = measure(rows, chosen, covariates, placebo=np.setdiff1d(np.arange(300), chosen)[:15])
    assert (other.status, other.reason) == ("ok", None)


def test_a_set_that_covariates_choose_is_compared_with_exchanges_at_its_edge():
    rows, covariates = neurons(n=300)
    strongest = np.argsort(-covariates[:, 0])[:15]
    edge = edge_sets(strongest, covariates, np.random.default_rng(0), n_sets=99)
    result = measure(rows, strongest, covariates, edge=edge)
    values = np.array([top(rows, one) for one in edge])
    assert (result.design, result.status, result.claim_p) == ("edge", "not_identifiable", None)
    assert result.p_value == (np.count_nonzero(values >= top(rows, strongest)) + 1) / 20
    assert result.null_median == pytest.approx(np.median(values))
    other = np.random.default_rng(5).permutation(300)[:15]
    assert measure(rows, other, covariates, edge=edge).design == "propensity"


def test_projected_directions_no_longer_count():
    rows, covariates = neurons(n=300, d=64)
    common = np.random.default_rng(9).standard_normal(64)
    rows[:30] += 0.5 * common
    plain = measure(rows, np.arange(30), covariates)
    projected = measure(rows, np.arange(30), covariates, directions=common)
    assert (plain.p_value, plain.claim_p) == (0.01, 0.01)
    assert projected.p_value > 0.05


@pytest.mark.parametrize(("g", "expected", "scatter"), [(400, 7.8, 0.2), (100, 13.5, 1.5)])
def test_seed_hill_follows_the_size_of_the_set_without_any_structure(g, expected, scatter):
    rows, covariates = neurons(n=2 * g, d=1024, seed=3)
    result = measure(rows, np.arange(g), covariates, n_sets=3)
    assert result.hill_index == pytest.approx(expected, abs=4 * scatter)
    assert result.hill_null_low <= result.hill_null_median <= result.hill_null_high


def test_parallel_rows_have_no_hill_index():
    rows, covariates = neurons()
    rows[:20] = rows[0] * np.arange(1, 21)[:, None]
    result = measure(rows, np.arange(20), covariates, n_sets=19)
    assert result.hill_index is None
    assert result.top_eigenvalue == pytest.approx(20)


def test_same_generator_state_gives_the_same_result():
    rows, covariates = neurons()
    assert measure(rows, np.arange(9), covariates) == measure(rows, np.arange(9), covariates)


def test_false_positives_after_selection_are_as_announced():
    rates = false_positives(100, n_set=12, n_neurons=160, d_model=48, seed=7)
    for name in ("w_in", "w_out_projected"):
        p, claim = rates[name]
        # 5 % of 100: 99.7 % of binomial draws lie between 0 and 12; a claim needs the placebo besides
        assert p <= 12 / 100
        assert claim <= p


def test_planted_correlation_is_found():
    p, claim = power(15, correlation=0.02, n_neurons=256, d_model=512, seed=1)
    assert p >= 13 / 15
    assert claim >= 13 / 15


@pytest.mark.parametrize(
    ("rows", "size", "placebo", "message"),
    [
        (neurons()[0], 1, [9], r"set of 1 neurons and placebo of shape \(1,\); both need the same number, two or more"),
        (neurons()[0], 3, [9, 8], r"set of 3 neurons and placebo of shape \(2,\)"),
        (neurons()[0], 2, [9, 9], "both need the same number"),
        (neurons(n=100)[0], 3, [9, 8, 7], r"rows of shape \(100, 40\) do not hold neuron 1\d\d of the sets"),
        (neurons()[0], 3, [9, 8, 200], "do not hold neuron 200"),
        (np.zeros((200, 40)), 3, [9, 8, 7], "200 of 200 rows vanish or are not finite after projection, first 0"),
    ],
)
def test_bad_arguments_are_refused(rows, size, placebo, message):
    with pytest.raises(ValueError, match=message):
        measure(rows, np.arange(size), neurons()[1], placebo)
