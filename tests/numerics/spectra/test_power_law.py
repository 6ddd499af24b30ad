"""The tail fit equals weightwatcher's and a plain loop, finds planted exponents, and names what it cannot fit."""

import numpy as np
import pytest

from rare_neurons.numerics.spectra.eigenvalues import eigenvalues
from rare_neurons.numerics.spectra.power_law import fit_power_law
from rare_neurons.numerics.spectra.weightwatcher_engine import quiet
from tests.reference.tail_fit import slow_power_law

SHAPES = [(96, 96), (64, 200), (128, 100), (300, 48), (64, 65)]
WEIGHTS = ["normal", "uniform", "student", "pareto", "spiked", "low_rank"]


def weights(kind, shape, rng):
    scale = 1 / np.sqrt(max(shape))
    if kind == "uniform":
        return rng.uniform(-scale, scale, shape)
    if kind == "student":
        return rng.standard_t(2.5, shape) * scale
    if kind == "pareto":
        return rng.pareto(1.5, shape) * rng.choice([-1, 1], shape) * scale
    noise = rng.standard_normal(shape) * scale
    if kind == "spiked":
        return noise + np.outer(rng.standard_normal(shape[0]), rng.standard_normal(shape[1])) * scale
    if kind == "low_rank":
        return noise @ np.diag(np.arange(shape[1]) < 30)
    return noise


@pytest.fixture(scope="module")
def ww_fit():
    with quiet():
        from weightwatcher.WW_powerlaw import WWFit
    return WWFit


@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_fit_equals_weightwatcher_on_its_own_singular_values(kind, shape, dtype, ww_fit):
    rng = np.random.default_rng([WEIGHTS.index(kind), *shape])
    matrix = weights(kind, shape, rng).astype(dtype)
    squared = np.sort(np.linalg.svd(matrix.astype(np.float64), compute_uv=False) ** 2)
    theirs = ww_fit(squared[squared > 1e-5])
    ours = fit_power_law(eigenvalues(matrix))
    assert ours.status == "ok"
    assert ours.alpha == pytest.approx(theirs.alpha, abs=1e-9, rel=1e-9)
    assert ours.xmin == pytest.approx(theirs.xmin, abs=1e-9, rel=1e-9)
    assert ours.ks_distance == pytest.approx(theirs.D, abs=1e-9)
    assert ours.n_tail == theirs.data.size


@pytest.mark.parametrize("kind", WEIGHTS)
def test_fit_equals_the_powerlaw_package_with_explicit_ranges(kind):
    import powerlaw

    values = eigenvalues(weights(kind, (120, 60), np.random.default_rng(WEIGHTS.index(kind))))
    values = values[values > 1e-5]
    with quiet():
        theirs = powerlaw.Fit(values, parameter_ranges={"alpha": [1, None]}, verbose=0)
    ours = fit_power_law(values, xmin_candidates="distinct")
    assert (ours.alpha, ours.xmin) == pytest.approx((theirs.alpha, theirs.xmin), rel=1e-6)
    assert ours.ks_distance == pytest.approx(theirs.D, rel=1e-6)


@pytest.mark.parametrize("distinct", [False, True])
@pytest.mark.parametrize("min_tail", [2, 25])
@pytest.mark.parametrize("sample", ["pareto", "ties", "two_values", "bulk"])
def test_fit_equals_a_plain_loop(sample, min_tail, distinct):
    rng = np.random.default_rng(5)
    values = {
        "pareto": 1 + rng.pareto(1.0, 150),
        "ties": np.round(1 + rng.pareto(1.0, 200), 1),
        "two_values": np.repeat([1.0, 4.0], 40),
        "bulk": np.concatenate([rng.uniform(0.1, 1, 120), 1 + rng.pareto(2.0, 40)]),
    }[sample]
    fit = fit_power_law(values, min_tail=min_tail, xmin_candidates="distinct" if distinct else "all")
    alpha, xmin, distance, n_tail = slow_power_law(values, min_tail=min_tail, distinct=distinct)
    assert fit.ks_distance == pytest.approx(distance, abs=1e-12)
    assert (fit.xmin, fit.n_tail) == (xmin, n_tail)
    assert fit.alpha == pytest.approx(alpha, rel=1e-12)


@pytest.mark.parametrize("alpha", [1.5, 2.0, 3.0, 5.0])
def test_fit_finds_a_planted_exponent_within_its_standard_error(alpha):
    rng = np.random.default_rng(11)
    values = rng.random(20_000) ** (-1 / (alpha - 1))
    fit = fit_power_law(values, min_tail=2_000)
    assert abs(fit.alpha - alpha) < 4 * (alpha - 1) / np.sqrt(fit.n_tail)


def test_scale_changes_xmin_alone():
    values = 1 + np.random.default_rng(2).pareto(2.0, 300)
    one, thousand = fit_power_law(values), fit_power_law(1000 * values)
    assert thousand.xmin == pytest.approx(1000 * one.xmin)
    assert (thousand.alpha, thousand.n_tail) == (pytest.approx(one.alpha), one.n_tail)


def test_identity_matrix_is_a_status_and_no_infinite_alpha():
    fit = fit_power_law(eigenvalues(np.eye(64)))
    assert (fit.status, fit.alpha, fit.n) == ("no_spread", None, 64)
    assert "64 values spread over 0.0e+00 in ln x" in fit.reason


def test_orthogonal_float32_matrix_is_rounding_and_no_tail():
    q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((80, 80)))
    assert fit_power_law(eigenvalues(q.astype(np.float32))).status == "no_spread"


def test_rounding_inside_tied_values_is_no_tail():
    blocks = np.kron(np.diag([1.0, 2.0]), np.linalg.qr(np.random.default_rng(0).standard_normal((40, 40)))[0])
    fit = fit_power_law(eigenvalues(blocks))
    assert fit.status == "ok"
    assert fit.alpha < 10


def test_too_few_values_names_count_and_limit():
    fit = fit_power_law([1.0, 2.0, 0.0, 1e-6])
    assert (fit.status, fit.n, fit.xmin) == ("too_few_values", 2, None)
    assert fit.reason == "2 values above 1e-05, but a tail fit needs at least 20"


def test_values_at_the_limit_take_no_part():
    values = 1 + np.random.default_rng(2).pareto(2.0, 300)
    assert fit_power_law(np.concatenate([values, np.zeros(50), [1e-5]])) == fit_power_law(values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": np.ones((3, 3))}, r"values have shape \(3, 3\)"),
        ({"values": [1.0, np.nan, np.inf]}, "2 of 3 values are not finite"),
        ({"values": np.ones(30), "min_tail": 1}, "min_tail=1, but an exponent needs at least 2 values"),
        ({"values": np.ones(30), "xmin_candidates": "some"}, "xmin_candidates='some'; known: 'all', 'distinct'"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_power_law(**arguments)
