"""Group spectra against correlations from first principles, and small copies of their calibration."""

import numpy as np
import pytest

from benchmarks.calibration.set_spectra import false_positives, power
from rare_neurons.numerics.organisation.matching import matched_sets
from rare_neurons.numerics.organisation.set_spectra import measure_set_spectrum


def neurons(n=200, d=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.lognormal(size=(n, 3))


def test_top_eigenvalue_is_that_of_the_correlation_matrix():
    rows, covariates = neurons()
    chosen = [3, 17, 90, 120, 4]
    result = measure_set_spectrum(rows, chosen, covariates, rng=np.random.default_rng(1), n_permutations=9)
    assert result.top_eigenvalue == pytest.approx(np.linalg.eigvalsh(np.corrcoef(rows[chosen]))[-1], rel=1e-12)
    assert result.n_set == 5


def test_group_wider_than_its_rows_has_the_same_top_eigenvalue():
    rows, covariates = neurons(d=8)
    chosen = np.arange(30)
    result = measure_set_spectrum(rows, chosen, covariates, rng=np.random.default_rng(1), n_permutations=9)
    assert result.top_eigenvalue == pytest.approx(np.linalg.eigvalsh(np.corrcoef(rows[chosen]))[-1], rel=1e-12)


def test_null_and_p_value_are_those_of_the_drawn_groups():
    rows, covariates = neurons()
    chosen = np.arange(12)
    result = measure_set_spectrum(rows, chosen, covariates, rng=np.random.default_rng(6), n_permutations=99)
    drawn, gap = matched_sets(chosen, covariates, np.random.default_rng(6), n_sets=99)
    top = np.array([np.linalg.eigvalsh(np.corrcoef(rows[one]))[-1] for one in drawn])
    assert result.p_value == (np.count_nonzero(top >= result.top_eigenvalue) + 1) / 100
    assert (result.null_low, result.null_median, result.null_high) == pytest.approx(np.quantile(top, [0.05, 0.5, 0.95]))
    assert result.decile_gap == gap


def test_projected_directions_no_longer_count():
    rows, covariates = neurons(n=300, d=64)
    common = np.random.default_rng(9).standard_normal(64)
    rows[:30] += 0.5 * common
    plain = measure_set_spectrum(rows, np.arange(30), covariates, rng=np.random.default_rng(0), n_permutations=99)
    directions = np.stack([common, 2 * common, np.zeros(64)])  # parallel and empty ones do no harm
    projected = measure_set_spectrum(
        rows, np.arange(30), covariates, rng=np.random.default_rng(0), n_permutations=99, directions=directions
    )
    assert plain.p_value == 0.01
    assert projected.p_value > 0.05
    span = np.stack([common, np.ones(64)]).T
    clean = rows[:30] - (span @ np.linalg.lstsq(span, rows[:30].T, rcond=None)[0]).T
    assert projected.top_eigenvalue == pytest.approx(np.linalg.eigvalsh(np.corrcoef(clean))[-1], rel=1e-9)


@pytest.mark.parametrize(("g", "expected", "scatter"), [(400, 7.8, 0.2), (100, 13.5, 1.5)])
def test_seed_hill_follows_group_size_without_any_structure(g, expected, scatter):
    rng = np.random.default_rng(3)
    rows, covariates = rng.standard_normal((2 * g, 1024)), rng.lognormal(size=(2 * g, 3))
    result = measure_set_spectrum(rows, np.arange(g), covariates, rng=rng, n_permutations=3)
    assert result.hill_index == pytest.approx(expected, abs=4 * scatter)
    values = np.sort(np.linalg.eigvalsh(np.corrcoef(rows[:g])))[::-1]
    k = g // 10
    assert result.hill_index == pytest.approx(k / np.log(values[:k] / values[k]).sum(), rel=1e-9)
    assert result.hill_null_low <= result.hill_null_median <= result.hill_null_high


def test_parallel_rows_have_no_hill_index():
    rows, covariates = neurons()
    rows[:20] = rows[0] * np.arange(1, 21)[:, None]
    result = measure_set_spectrum(rows, np.arange(20), covariates, rng=np.random.default_rng(0), n_permutations=19)
    assert result.hill_index is None
    assert result.top_eigenvalue == pytest.approx(20)


def test_same_generator_state_gives_the_same_result():
    rows, covariates = neurons()
    one, two = (
        measure_set_spectrum(rows, np.arange(9), covariates, rng=np.random.default_rng(4), n_permutations=49)
        for _ in range(2)
    )
    assert one == two


def test_false_positives_after_selection_are_as_announced():
    rates = false_positives(150, n_set=12, n_neurons=160, d_model=48, seed=7)
    # 5 % of 150: 0.99 of binomial draws lie between 1 and 14
    for name in ("w_in", "w_out_projected"):
        assert 1 / 150 <= rates[name] <= 15 / 150


def test_planted_correlation_is_found():
    assert power(15, correlation=0.02, n_neurons=256, d_model=512, seed=1) >= 13 / 15


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chosen": [1]}, "set of 1 neurons, 99 random sets; at least 2 and 1 are needed"),
        ({"chosen": [1, 1]}, "must be a non-empty list of distinct neurons"),
        ({"chosen": [1, 200]}, "set holds neuron 200 of 200"),
        ({"chosen": range(101)}, "set of 101 of 200 neurons, but matching needs at most half"),
        ({"covariates": np.full((200, 3), np.nan)}, "must be finite with axes"),
        ({"covariates": np.ones((7, 3))}, "covariates of 7 neurons differ"),
        ({"directions": np.ones(3)}, r"directions of shape \(1, 3\) must be finite and 40 wide"),
        ({"rows": np.zeros((200, 40))}, "200 of 200 rows vanish or are not finite after projection, first 0"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    rows, covariates = neurons()
    arguments = {"rows": rows, "chosen": [1, 2, 3], "covariates": covariates} | change
    with pytest.raises(ValueError, match=message):
        measure_set_spectrum(**arguments, rng=np.random.default_rng(0), n_permutations=99)
