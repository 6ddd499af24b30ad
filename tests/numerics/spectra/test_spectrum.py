"""One row of spectral quantities: closed forms, weightwatcher's engine, options, and what is not defined."""

from dataclasses import FrozenInstanceError, asdict, replace

import numpy as np
import pytest

from rare_neurons.numerics.spectra.eigenvalues import eigenvalues
from rare_neurons.numerics.spectra.options import SpectrumOptions
from rare_neurons.numerics.spectra.spectrum import SPECTRUM_COLUMNS, det_x_count, measure_spectrum
from rare_neurons.numerics.spectra.weightwatcher_engine import quiet
from tests.reference.spectral import det_x_by_products, hill_by_loop

PLAIN = SpectrumOptions(shuffles=0, farms_windows=0, refits=0, gof_refits=0, likelihood_ratios=False)


def gaussian(shape=(96, 60), seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal(shape)


def test_columns_that_need_no_fit_are_closed_forms():
    values = np.array([9.0, 4.0, 1.0] + [0.25] * 27)
    matrix = np.zeros((40, 30))
    matrix[np.arange(30), np.arange(30)] = np.sqrt(values)
    spectrum = measure_spectrum(matrix, PLAIN)
    assert spectrum.n_eigenvalues == 30
    assert spectrum.stable_rank == pytest.approx(values.sum() / 9)
    assert spectrum.log_spectral_norm == pytest.approx(np.log10(9))
    assert spectrum.frobenius_norm == pytest.approx(np.linalg.norm(matrix))
    assert spectrum.lambda_max_over_median == pytest.approx(36)
    assert spectrum.hill_10 == pytest.approx(1 + 3 / np.log(9 * 4 / 0.25**3 / 1))
    assert spectrum.hill_5 is None  # one value of 30


def test_hill_columns_equal_a_plain_loop():
    matrix = gaussian((200, 120))
    spectrum = measure_spectrum(matrix, PLAIN)
    values = np.linalg.svd(matrix, compute_uv=False) ** 2
    for name, k in {"hill_5": 6, "hill_10": 12, "hill_20": 24}.items():
        assert getattr(spectrum, name) == pytest.approx(hill_by_loop(values, k), rel=1e-10)


@pytest.mark.parametrize("shape", [(60, 60), (96, 40), (30, 300)])
def test_det_x_equals_plain_products_and_weightwatcher(shape):
    with quiet():
        from weightwatcher.RMT_Util import detX_constraint
    values = eigenvalues(gaussian(shape))
    assert det_x_count(values) == det_x_by_products(values) == detX_constraint(values)[0]


def test_det_x_survives_products_beyond_float64():
    values = np.concatenate([np.full(3000, 1e-3), np.full(1000, 1e3)])
    assert (
        det_x_count(values)
        == 1000 + int(np.floor(1000 * np.log(values[-1] / values.mean()) / np.log(values.mean() / 1e-3))) + 1
    )
    assert det_x_count(np.ones(9)) is None


def test_transposed_matrix_gives_the_same_numbers():
    matrix = gaussian((80, 50))
    ours, transposed = measure_spectrum(matrix, PLAIN), measure_spectrum(matrix.T, PLAIN)
    for name in SPECTRUM_COLUMNS:
        expected = getattr(ours, name)
        got = getattr(transposed, name)
        assert got == (pytest.approx(expected, rel=1e-9) if isinstance(expected, float) else expected)


def test_low_rank_matrix_has_exact_zeros_and_no_noise_in_the_tail():
    rng = np.random.default_rng(3)
    matrix = 1e7 * rng.standard_normal((200, 40)) @ rng.standard_normal((40, 150))
    values = eigenvalues(matrix)
    assert np.count_nonzero(values) == 40
    assert measure_spectrum(matrix, PLAIN).n_tail <= 40


def test_engine_weightwatcher_gives_the_same_row():
    ours = asdict(measure_spectrum(gaussian(), SpectrumOptions(refits=5, gof_refits=5)))
    theirs = asdict(measure_spectrum(gaussian(), SpectrumOptions(refits=5, gof_refits=5, engine="weightwatcher")))
    assert ours.pop("status") == theirs.pop("status") == "ok"
    assert ours.pop("edge_status") == theirs.pop("edge_status") == "ok"
    assert ours.pop("reason") == theirs.pop("reason") == ""
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("engine", ["exact", "weightwatcher"])
@pytest.mark.parametrize(
    ("matrix", "status"),
    [(np.eye(40), "no_spread"), (np.zeros((30, 40)), "too_few_values"), (gaussian((12, 300)), "too_few_values")],
)
def test_no_tail_is_a_status_and_nulls(engine, matrix, status):
    spectrum = measure_spectrum(matrix, SpectrumOptions(engine=engine, shuffles=0, gof_refits=5))
    assert spectrum.status == status
    assert spectrum.reason
    for name in ("alpha", "alpha_iid_low", "xmin", "ks_distance", "n_tail", "gof_p", "lr_lognormal", "lr_lognormal_p"):
        assert getattr(spectrum, name) is None


def test_eigenvalues_that_are_known_are_not_computed_again():
    matrix = gaussian()
    assert measure_spectrum(matrix, PLAIN, values=eigenvalues(matrix)) == measure_spectrum(matrix, PLAIN)
    assert measure_spectrum(matrix, PLAIN, values=np.arange(1.0, 61.0)).stable_rank == pytest.approx(30.5)


def test_where_most_are_spikes_there_is_a_status_and_no_edge():
    matrix = np.diag(np.sqrt([0.01] * 12 + [float(i) for i in range(20, 38)]))
    spectrum = measure_spectrum(matrix, PLAIN)
    assert (spectrum.mp_edge, spectrum.n_spikes, spectrum.edge_status) == (None, None, "mostly_spikes")


def test_zero_counts_mean_null_columns():
    spectrum = measure_spectrum(gaussian(), PLAIN)
    absent = {name for name in SPECTRUM_COLUMNS if getattr(spectrum, name) is None}
    optional = {"alpha_iid_low", "alpha_iid_high", "gof_p", "farms_alpha"}
    optional |= {name for name in SPECTRUM_COLUMNS if name.startswith(("lr_", "alpha_shuffled"))}
    assert absent == optional


def test_everything_asked_for_is_there_and_no_option_moves_another():
    full = measure_spectrum(gaussian(), SpectrumOptions(refits=20, gof_refits=10, seed=4))
    assert None not in asdict(full).values()
    part = measure_spectrum(gaussian(), SpectrumOptions(refits=20, gof_refits=0, farms_windows=0, seed=4))
    assert replace(part, gof_p=full.gof_p, farms_alpha=full.farms_alpha) == full
    assert measure_spectrum(gaussian(), SpectrumOptions(refits=20, seed=5)).alpha_iid_low != part.alpha_iid_low
    with pytest.raises(FrozenInstanceError):
        full.alpha = 2.0


def test_shuffling_destroys_a_planted_tail_and_keeps_the_weights():
    rng = np.random.default_rng(1)
    left, _ = np.linalg.qr(rng.standard_normal((150, 100)))
    right, _ = np.linalg.qr(rng.standard_normal((100, 100)))
    matrix = left * np.sqrt(1 + rng.pareto(1.0, 100)) @ right
    spectrum = measure_spectrum(matrix, SpectrumOptions(refits=0, shuffles=5))
    assert spectrum.alpha < 2.7
    assert spectrum.alpha_shuffled_low > spectrum.alpha
    assert spectrum.alpha_shuffled_low <= spectrum.alpha_shuffled <= spectrum.alpha_shuffled_high


@pytest.mark.parametrize(
    ("matrix", "options", "message"),
    [
        (np.diag([np.nan, np.inf, -np.inf]), {}, "3 of 9 weights are not finite; the checkpoint is damaged"),
        (np.ones(30), {}, r"matrix has shape \(30,\), but a spectrum needs two non-empty axes"),
        (gaussian(), {"refits": -1}, "refits=-1, but a count is 0"),
        (gaussian(), {"engine": "powerlaw"}, "unknown engine 'powerlaw'; known: exact, weightwatcher"),
    ],
)
def test_bad_arguments_are_refused(matrix, options, message):
    with pytest.raises(ValueError, match=message):
        measure_spectrum(matrix, SpectrumOptions(**options))
