import numpy as np
import pytest

from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.regimes.seed_conventions import fit_fixed_cuts
from rare_neurons.replication.noise import (
    fixed_shares,
    hill_without_structure,
    huber_shares,
    noise_band,
    read_noise,
    segments_by_bic,
    typical,
    window_exponent_se,
    window_exponents,
)


def test_noise_shows_three_regimes_a_straight_window_and_the_same_cuts():
    readings = read_noise(384, n_draws=40, seed=1)
    assert {r.n_segments for r in readings} == {3}
    assert np.median([r.fixed_cuts.r_squared for r in readings]) > 0.97
    assert {(r.fixed_cuts.plateau_end, r.fixed_cuts.decay_start) for r in readings} == {(33, 245)}
    assert np.median([r.huber.r_squared for r in readings]) > 0.99


def test_bic_takes_a_piece_only_for_a_gain_beyond_its_parameters():
    n = 100
    # Two parameters more cost 2 ln n; the same in n ln(1 - R²) is a factor n^(-2 / n) of 1 - R².
    factor = n ** (-2 / n)
    left = np.array([0.1, 0.1 * factor * 0.999, 0.1 * factor * 0.999 * factor * 1.001])
    assert segments_by_bic(1 - left, n) == 2
    assert segments_by_bic([0.9, 0.9, 0.9], n) == 1
    assert segments_by_bic(1 - np.array([0.1, 0.1 * factor, 0.1 * factor**2 * 0.99]), n) == 3


@pytest.mark.parametrize("r_squared", [[0.9, 0.99], [0.9, 0.99, 1.0], [0.9, float("nan"), 0.95]])
def test_bic_refuses_what_is_no_three_fits(r_squared):
    with pytest.raises(ValueError, match=r"three values below 1 are needed"):
        segments_by_bic(r_squared, 100)


def test_standard_error_of_the_window_is_the_scatter_over_fresh_documents_and_types():
    rng = np.random.default_rng(2)
    effect = np.sort(rng.pareto(1.5, 120))[::-1] + 0.2
    counts = rng.integers(2, 9, (N_FOLDS, N_FOLDS)).astype(float)

    def draw(*, of_types=0.5):
        """Cells in which documents add a little to every row and types more to every column, neuron by neuron."""
        documents, types = (size * rng.standard_normal((N_FOLDS, 120)) for size in (0.2, of_types))
        own = 0.5 / np.sqrt(counts)[:, :, None] * rng.standard_normal((N_FOLDS, N_FOLDS, 120))
        return CellSums(counts[:, :, None] * (effect + documents[:, None] + types[None] + own), counts)

    def exponent(cells):
        return fit_fixed_cuts(np.abs(cells.sums.sum(axis=(0, 1)) / counts.sum())).rank_exponent

    fresh = np.std([exponent(draw()) for _ in range(300)])
    found = np.sqrt(np.mean([window_exponent_se(draw()) ** 2 for _ in range(20)]))
    # A jackknife of twelve folds knows its error to a fifth, twenty of them to 5 %; it is some 10 % too large.
    assert found == pytest.approx(fresh, rel=0.3)
    # What folds of documents alone could see of it.
    assert np.std([exponent(draw(of_types=0)) for _ in range(300)]) < 0.6 * found


def test_hill_index_of_gaussian_rows_is_that_of_drawn_groups_and_follows_their_size():
    sizes, width = [20, 40, 160], 96
    found = hill_without_structure(sizes, width=width, n_rows=384, n_sets=99, seed=0)
    rng = np.random.default_rng(3)
    for size, (low, median, high) in zip(sizes, found, strict=True):
        indices = []
        for _ in range(60):
            values = np.sort(np.linalg.eigvalsh(np.corrcoef(rng.standard_normal((size, width)))))[::-1]
            tail = size // 10
            indices.append(tail / np.log(values[:tail] / values[tail]).sum())
        assert low < np.median(indices) < high
        assert median == pytest.approx(np.median(indices), rel=0.2)
    assert found[0, 1] > 1.5 * found[2, 1]


def test_window_exponents_are_those_of_the_fixed_cuts():
    rng = np.random.default_rng(4)
    values = np.sort(rng.pareto(1.5, (3, 200)), axis=1)[:, ::-1]
    expected = [fit_fixed_cuts(row).rank_exponent for row in values]
    assert window_exponents(values) == pytest.approx(expected, rel=1e-9)  # two orders of summation


def test_fresh_noise_lies_within_its_band_as_often_as_the_band_says():
    band = noise_band(200, n_draws=400, seed=5)
    fresh = [fit_fixed_cuts(np.abs(x)).rank_exponent for x in np.random.default_rng(6).standard_normal((400, 200))]
    inside = np.mean([band.exponent_low < e < band.exponent_high for e in fresh])
    assert inside == pytest.approx(0.9, abs=0.07)  # four standard errors, of both samples of 400
    assert (band.low <= band.high).all()
    assert band.low[0] > 1 > band.high[-1]


def test_medians_over_readings_are_those_of_their_fits():
    readings = read_noise(60, n_draws=3, seed=7)
    exponents = sorted(r.fixed_cuts.rank_exponent for r in readings)
    assert typical(readings, "fixed_cuts", "rank_exponent") == exponents[1]
    found = huber_shares(readings, 60)
    assert found[0] == np.median([min(r.huber.plateau_end, 60) for r in readings]) / 60


def test_fixed_shares_do_not_depend_on_the_values():
    assert fixed_shares(1937) == pytest.approx((33 / 1937, 211 / 1937, 1693 / 1937))
