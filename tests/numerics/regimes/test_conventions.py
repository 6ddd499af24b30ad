"""Every convention side by side: planted regimes are read, noise and too few neurons have a status."""

import numpy as np
import pytest

from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.regimes.conventions import CONVENTIONS, measure_regimes
from rare_neurons.numerics.regimes.null_tables import regime_null_table
from rare_neurons.numerics.spectra.power_law import fit_power_law
from tests.numerics.regimes.cells import influence_of, planted_cells


def _measure(effect, noise=0.3, seed=0, **options):
    cells = planted_cells(np.random.default_rng(seed), effect, noise=noise)
    se = np.full(len(effect), noise / np.sqrt(cells.counts.sum()))
    return measure_regimes(influence_of(cells), se, cells, seed=1, **options)


def _row(rows, sign, convention):
    return next(row for row in rows if (row.sign, row.convention) == (sign, convention))


def _planted(n=1000):
    log_rank = np.log(np.arange(1, n + 1))
    first, second = log_rank[16], log_rank[125]
    curve = -0.02 * log_rank - 0.78 * np.maximum(log_rank - first, 0) - 0.9 * np.maximum(log_rank - second, 0)
    return np.exp(curve) * np.random.default_rng(9).choice([-1, 1], n)


def test_one_row_per_sign_and_convention():
    rows = _measure(np.random.default_rng(0).standard_t(3, 300) * 0.02)
    assert [(r.sign, r.convention) for r in rows] == [
        (sign, convention) for sign in ("all", "boost", "suppress") for convention in CONVENTIONS
    ]
    assert _row(rows, "boost", "one_segment").n_neurons + _row(rows, "suppress", "one_segment").n_neurons == 300


def test_planted_regimes_are_read_from_the_cross_fitted_curve():
    row = _row(_measure(_planted()), "all", "cross_fitted")
    assert row.status == "ok"
    assert 9 <= row.plateau_end <= 30
    assert 80 <= row.decay_start <= 200
    assert row.rank_exponent == pytest.approx(0.8, abs=0.1)
    assert row.rank_exponent_low <= row.rank_exponent <= row.rank_exponent_high
    assert row.split_half_pearson > 0.9


def test_detection_row_carries_the_test_and_its_intervals():
    row = _row(_measure(_planted(), null_tables=[regime_null_table(1000, n_draws=60, seed=0)]), "all", "log_spacing")
    assert (row.status, row.n_regimes) == ("ok", 3)
    assert row.null_p <= 0.05
    assert row.statistic_z > 1.6
    assert row.null_family is not None
    assert row.plateau_end_low <= 17 <= row.plateau_end_high
    assert row.rank_exponent_low <= 0.8 <= row.rank_exponent_high
    assert row.decay_start_low <= row.decay_start <= row.decay_start_high


def test_without_tables_the_fit_stands_and_p_is_missing():
    row = _row(_measure(_planted()), "all", "log_spacing")
    assert (row.status, row.null_p) == ("no_null_table", None)
    assert row.rank_exponent is not None
    assert "tables at: none" in row.reason


def test_tail_row_is_the_power_law_fit_of_that_sign():
    effect = np.random.default_rng(1).standard_t(2, 500)
    rows = _measure(effect, noise=1e-9)
    row, fit = _row(rows, "boost", "tail"), fit_power_law(effect[effect > 0], min_tail=10, min_value=0.0)
    assert (row.alpha, row.n_tail) == (pytest.approx(fit.alpha, rel=1e-5), fit.n_tail)
    assert row.lr_lognormal is not None


def test_noise_gives_no_cross_fitted_regimes_though_every_drawn_fit_exists():
    rows = _measure(np.zeros(400))
    row = _row(rows, "all", "cross_fitted")
    assert (row.status, row.n_regimes, row.plateau_end) == ("not_resolved", None, None)
    assert "leading bins of the curve are above zero" in row.reason
    assert _row(rows, "all", "three_segment").r_squared > 0.9


def test_too_few_neurons_is_a_status():
    rows = _measure(np.full(12, 0.5))
    assert _row(rows, "suppress", "cross_fitted").status == "too_few"
    assert _row(rows, "suppress", "three_segment").status == "too_few"
    assert _row(rows, "all", "seed_fixed_cuts").reason.startswith("12 values leave 0 ranks")


def test_values_that_are_not_finite_stop_the_run():
    cells = CellSums.of(np.ones((12, 12, 2)), counts=np.ones((12, 12)))
    with pytest.raises(ValueError, match="quarantine the checkpoint"):
        measure_regimes([np.nan, 1.0], [0.1, 0.1], cells, seed=0)
    with pytest.raises(ValueError, match=r"\(3,\), influence_se \(3,\), sums \(12, 12, 2\) disagree on neurons"):
        measure_regimes(np.ones(3), np.ones(3), cells, seed=0)
