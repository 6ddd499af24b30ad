"""The detection test: quiet on smooth noise, awake on planted regimes, and a status where it cannot tell."""

import numpy as np
import pytest

from benchmarks.calibration.regimes import planted_curve
from rare_neurons.numerics.regimes.detection import fit_shape, regime_test, spacings_above_noise
from rare_neurons.numerics.regimes.null_tables import NullTable, regime_null_table
from rare_neurons.numerics.regimes.statistic import log_spacings

N = 400
NOISE = {
    "half-normal": lambda rng: rng.standard_normal(N),
    "exponential": lambda rng: rng.exponential(size=N),
    "weibull": lambda rng: rng.weibull(0.7, N),
    "lognormal": lambda rng: rng.lognormal(size=N),
    "half-t(2)": lambda rng: rng.standard_t(2, N),
    "generalised gamma": lambda rng: rng.gamma(2, size=N) ** (1 / 0.7),
    "power law": lambda rng: rng.random(N) ** -0.8,
}


@pytest.fixture(scope="module")
def table():
    return regime_null_table(N, n_draws=400, seed=0)


@pytest.mark.parametrize("kind", NOISE)
def test_smooth_noise_is_not_called_regimes(kind, table):
    rng, draws = np.random.default_rng(1), 200
    hits = sum(regime_test(np.abs(NOISE[kind](rng)), None, [table], seed=0).null_p <= 0.05 for _ in range(draws))
    assert hits <= draws * 0.07 + 2 * np.sqrt(draws * 0.07 * 0.93)


def test_noise_with_unequal_errors_is_called_only_without_the_errors(table):
    rng, known, unknown = np.random.default_rng(2), [], []
    se = np.where(np.arange(N) < N // 10, 10.0, 1.0)
    for k in range(60):
        x = np.abs(rng.standard_normal(N) * se)
        known.append(regime_test(x, se, [table], seed=k).status)
        unknown.append(regime_test(x, None, [table], seed=k).null_p)
    assert set(known) == {"too_few"}
    assert np.mean(np.array(unknown) <= 0.05) >= 0.3


def test_planted_regimes_are_detected_and_located():
    curve, rng, found = planted_curve(1000, plateau_slope=0.05, exponent=0.8), np.random.default_rng(3), []
    big = regime_null_table(1000, n_draws=120, seed=0)
    sd = np.median(curve) / 2
    for k in range(25):
        x = np.abs(curve + sd * rng.standard_normal(1000))
        found.append(regime_test(x, np.full(1000, sd), [big], n_mixture_draws=99, seed=k))
    assert np.mean([t.null_p <= 0.05 for t in found]) >= 0.9
    assert abs(np.median([t.plateau_end for t in found]) - 17) <= 3
    assert abs(np.median([t.decay_start for t in found]) - 126) <= 15
    assert np.median([t.rank_exponent for t in found]) == pytest.approx(0.8, abs=0.08)


def test_p_is_the_largest_over_the_named_families(table):
    x = np.random.default_rng(4).lognormal(size=N)
    found = regime_test(x, np.full(N, 0.1), [table], seed=0)
    assert set(found.family_p) == {
        "half_normal", "exponential_weibull", "lognormal", "power_law", "half_t", "generalised_gamma", "scale_mixture"
    }  # fmt: skip
    assert found.null_p == max(found.family_p.values()) == found.family_p[found.null_family]


def test_p_counts_the_draws_at_or_above():
    rows = np.array([[0.0, 1.0, 2.0, 3.0]] * 13)
    names = np.array(["generalised_gamma"] * 11 + ["half_t", "power_law"])
    shapes = np.array([0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, np.inf, 2.0, np.nan])
    x = np.random.default_rng(5).lognormal(size=80)
    cells = len(regime_null_table(80, n_draws=2, seed=0).mean_spacing[0])
    flat = NullTable(80, names, shapes, np.full(13, 40), rows, np.ones((13, cells)))
    found = regime_test(x, None, [flat], seed=0)
    assert found.null_p == (np.count_nonzero(rows[0] >= found.statistic) + 1) / 5


def test_shapes_are_recovered_from_the_spacings(table):
    rng = np.random.default_rng(6)
    dofs = [fit_shape(log_spacings(np.abs(rng.standard_t(2, N)), N // 2), N, table, "half_t") for _ in range(40)]
    assert 1.5 <= np.median(dofs) <= 3
    heavy = [
        fit_shape(log_spacings(rng.gamma(0.2, size=N) ** 3, N // 2), N, table, "generalised_gamma") for _ in "abcd"
    ]
    assert np.median(heavy) <= 0.5


def test_ranks_below_the_noise_floor_take_no_part(table):
    x = np.concatenate([np.linspace(10, 3, 60), np.full(340, 0.5) + np.linspace(0, 0.1, 340)])
    assert spacings_above_noise(x, np.ones(N)) in range(50, 60)  # an edge of the cells at or before 59
    assert spacings_above_noise(x, None) == 200
    low = regime_test(x, np.full(N, 4.0), [table], seed=0)
    assert (low.status, low.null_p, low.statistic) == ("too_few", None, None)


def test_noise_has_no_ranks_above_its_floor_whatever_each_neurons_error():
    rng = np.random.default_rng(10)
    for se in (np.ones(N), np.where(np.arange(N) < N // 10, 10.0, 1.0), rng.lognormal(size=N)):
        kept = [spacings_above_noise(np.abs(rng.standard_normal(N) * se), se) for _ in range(100)]
        # Ten times as many as expected above some value: a few loud ones at most.
        assert max(kept) < 10


def test_one_loud_neurons_error_does_not_hide_the_others(table):
    x = np.concatenate([[50.0], np.linspace(10, 3, 200), np.linspace(0.5, 0.1, N - 201)])
    se = np.concatenate([[40.0], np.full(N - 1, 0.2)])
    assert spacings_above_noise(x, se) == 200


def test_a_normal_score_compares_runs_of_different_lengths(table):
    # Noise of one family, half-t with its own tables: scores are those of a standard normal or below, at both lengths.
    rng, scores = np.random.default_rng(11), {200: [], 60: []}
    for _ in range(150):
        x = np.abs(rng.standard_t(2, N))
        for kept, found in scores.items():
            floor = np.sort(x)[-kept - 2] / 2.2
            test = regime_test(x, np.where(x > 2 * floor, 1e-6, floor), [table], n_mixture_draws=19, seed=0)
            found.append(-9 if test.statistic_z is None else test.statistic_z)
    for found in scores.values():
        # Nominal .05 with the whole family as null: at most .07, and its own error.
        assert np.mean(np.array(found) > 1.645) <= 0.07 + 2 * np.sqrt(0.07 * 0.93 / 150)


def test_a_score_goes_on_where_counted_draws_end(table):
    found = []
    for strength in (1.0, 1.5, 2.0):
        curve = planted_curve(N, plateau_slope=0.02, exponent=0.8 * strength, decay=1.5 * strength, shares=(0.05, 0.3))
        noisy = curve * np.exp(0.02 * np.random.default_rng(12).standard_normal(N))
        found.append(regime_test(noisy, None, [table], seed=0))
    assert [t.null_p for t in found] == [pytest.approx(1 / 401)] * 3  # all at the smallest p of 400 draws
    assert found[0].statistic_z > 3


def test_no_table_and_ties_are_statuses(table):
    x = np.random.default_rng(7).lognormal(size=N)
    missing = regime_test(x[:150], None, [table], seed=0)
    assert missing.status == "no_null_table"
    assert missing.statistic is not None
    assert "150 neurons (tables at: 400)" in missing.reason
    assert regime_test(np.ceil(x * 5), None, [table], seed=0).status == "tied"
    few_equal = np.concatenate([np.full(6, 9.0), np.sort(x)[: N - 6] / x.max()])
    assert regime_test(few_equal, None, [table], seed=0).status == "tied"
    exact = regime_test(x, np.zeros(N), [table], seed=0)
    assert (exact.status, "scale_mixture" in exact.family_p) == ("ok", False)
    with pytest.raises(ValueError, match="positive and finite"):
        regime_test(np.zeros(100), None, [table], seed=0)


def test_a_flat_middle_is_no_plateau_and_decay(table):
    level = np.concatenate([np.linspace(3, 1, 60), np.linspace(1, 0.1, 160)])
    x = np.exp(-np.concatenate([[0], np.cumsum(level / np.arange(1, 221))]))
    found = regime_test(np.concatenate([x, x[-1] * np.linspace(0.9, 0.1, 179)]), None, [table], seed=0)
    assert (found.status, found.null_p, found.statistic) == ("not_rising", 1.0, None)


def test_between_two_tables_p_is_interpolated(table):
    other = regime_null_table(560, n_draws=60, seed=0)
    x = np.random.default_rng(8).lognormal(size=480)
    p = [regime_test(x, None, tables, seed=0).null_p for tables in ([table], [other], [table, other])]
    assert min(p[:2]) - 1e-12 <= p[2] <= max(p[:2]) + 1e-12
