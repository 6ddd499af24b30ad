"""The cross-fitted curve, against a neuron-by-neuron reference and planted means."""

import numpy as np
import pytest

from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.grid.quadrants import opposite_quadrants
from rare_neurons.numerics.regimes.rank_curve import (
    log_bins,
    n_of_sign,
    quadrant_means,
    rank_curve,
    split_half_reliability,
)
from tests.numerics.regimes.cells import planted_cells
from tests.reference.regimes import slow_rank_curve


def test_curve_equals_a_neuron_by_neuron_reference():
    rng = np.random.default_rng(0)
    cells = planted_cells(rng, rng.standard_t(2, 60) * 0.01)
    curve = rank_curve(cells, seed=1)
    expected = slow_rank_curve(cells.sums, cells.counts, curve.rank_low, curve.rank_high)
    np.testing.assert_allclose(curve.value, expected, rtol=1e-9, atol=1e-15)


def test_bins_cover_every_rank_once():
    for n in (2, 3, 17, 384, 4096):
        low, high = log_bins(n, 24)
        assert low[0] == 1
        assert high[-1] == n
        assert (low[1:] == high[:-1] + 1).all()
        assert (high >= low).all()


@pytest.mark.parametrize("sign", ["all", "boost", "suppress"])
def test_noise_of_documents_and_types_averages_to_zero_at_every_rank(sign):
    rng, values = np.random.default_rng(2), []
    for _ in range(150):
        cells = planted_cells(rng, np.zeros(100), type_sd=0.3, document_sd=0.2)
        values.append(rank_curve(cells, sign=sign, n_bins=5, n_resamples=2, seed=0).value[:4])
    mean, se = np.mean(values, axis=0), np.std(values, axis=0) / np.sqrt(len(values))
    assert (np.abs(mean) < 4 * se).all(), (mean, se)


def test_halves_that_share_types_would_not_average_to_zero():
    # What the quadrants are for: documents alone apart, the shared types' noise is read as an effect.
    rng, values = np.random.default_rng(2), []
    for _ in range(60):
        cells = planted_cells(rng, np.zeros(100), type_sd=0.3)
        one, other = (cells.sums[rows].sum(axis=(0, 1)) for rows in (slice(0, 6), slice(6, 12)))
        values.append(np.mean(np.sign(one) * other))
    assert np.mean(values) > 10 * np.std(values) / np.sqrt(len(values))


def test_curve_recovers_the_planted_mean_of_each_bin():
    rng = np.random.default_rng(3)
    effect = 0.5 * np.arange(1, 301) ** -0.7
    curve = rank_curve(planted_cells(rng, effect, noise=0.01), seed=0)
    planted = [effect[low - 1 : high].mean() for low, high in zip(curve.rank_low, curve.rank_high, strict=True)]
    np.testing.assert_allclose(curve.value, planted, rtol=0.03)


def test_interval_covers_what_the_ordered_neurons_have_whatever_types_add():
    rng, covered, contexts_alone = np.random.default_rng(4), [], []
    effect = np.where(np.arange(60) < 20, 0.9, 0.7)  # no sign is ever in doubt, so the bin reads their mean
    for k in range(200):
        # One shift per type bin for all neurons: 60 neurons do not average it away.
        cells = planted_cells(rng, effect, type_sd=0.1, shared=True)
        curve = rank_curve(cells, n_bins=1, seed=k)
        covered.append(curve.low[0] <= effect.mean() <= curve.high[0])
        by_document = cells.sums.mean(axis=-1).sum(axis=1) / cells.counts.sum(axis=1)
        half = 1.8 * by_document.std(ddof=1) / np.sqrt(12)
        contexts_alone.append(abs(by_document.mean() - effect.mean()) <= half)
    # Nominal .90; 200 draws have a standard error of .02.
    assert 0.84 <= np.mean(covered) <= 0.97
    assert np.mean(contexts_alone) < 0.5


def test_boost_ignores_the_reading_quadrants_sign():
    sums = np.zeros((4, 4, 6))
    sums[:2] = [1, 2, 3, -1, -2, -3]
    sums[2:] = [-1, -2, -3, 1, 2, 3]  # documents of the other half disagree throughout
    cells = CellSums.of(sums, counts=np.ones((4, 4)))
    curve = rank_curve(cells, sign="boost", n_bins=1, seed=0)
    assert (curve.n_neurons, n_of_sign(cells, "boost")) == (3, 3)
    assert curve.value[0] == -2


def test_same_seed_draws_the_same_cells():
    rng = np.random.default_rng(5)
    cells = planted_cells(rng, np.full(50, 0.2))
    one, two = (rank_curve(CellSums(k * cells.sums, cells.counts), seed=7).resampled for k in (1, 2))
    np.testing.assert_allclose(two, 2 * one)


def test_errors_say_what_is_wrong():
    four = CellSums.of(np.ones((4, 4, 5)), counts=np.ones((4, 4)))
    with pytest.raises(ValueError, match="of 8 parts hold no target"):
        rank_curve(CellSums.of(np.ones((4, 4, 5)), counts=np.diag([1.0, 1, 0, 0])), seed=0)
    with pytest.raises(ValueError, match="0 neurons of sign 'suppress' in one quadrant"):
        rank_curve(four, sign="suppress", seed=0)
    with pytest.raises(ValueError, match="unknown sign 'up'"):
        rank_curve(four, sign="up", seed=0)
    with pytest.raises(ValueError, match=r"confidence=90, but the coverage of an interval lies in \(0, 1\)"):
        rank_curve(four, confidence=90, seed=0)


def test_quadrant_means_are_those_of_the_cells():
    cells = planted_cells(np.random.default_rng(6), np.ones(3))
    found = quadrant_means(cells)
    for split, halves in enumerate(opposite_quadrants(12)):
        for half, mask in enumerate(halves):
            expected = cells.sums[mask].sum(axis=0) / cells.counts[mask].sum()
            np.testing.assert_allclose(found[split, half], expected, rtol=1e-12)


def test_reliability_of_known_vectors():
    pair = [[1.0, 2.0, 4.0, 8.0], [1.0, 4.0, 16.0, 64.0]]
    same = split_half_reliability([pair])
    assert same.spearman == pytest.approx(1)
    assert same.pearson == pytest.approx(np.corrcoef(pair)[0, 1])
    assert split_half_reliability([[[1.0, 1.0, 1.0], [1.0, 2.0, 3.0]]]).pearson is None
    other = [[1.0, 2.0, 4.0, 3.0], [2.0, 1.0, 3.0, 4.0]]
    both = split_half_reliability([pair, other]).pearson
    z = np.arctanh([np.corrcoef(pair)[0, 1], np.corrcoef(other)[0, 1]])
    assert both == pytest.approx(np.tanh(z.mean()))
    with pytest.raises(ValueError, match=r"must be \[split, 2, neuron\]"):
        split_half_reliability([[1.0, 2.0], [3.0, 4.0]])


def test_reliability_does_not_count_the_noise_of_types_as_agreement():
    rng, found = np.random.default_rng(7), []
    for _ in range(40):
        found.append(split_half_reliability(quadrant_means(planted_cells(rng, np.zeros(200), type_sd=0.5))).pearson)
    # Without an effect opposite quadrants agree on nothing.
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(len(found))
