"""Smaller seeded copies of benchmarks/calibration/evidence_*.py, in the world that needs no file."""

import numpy as np
import pytest

from benchmarks.calibration.evidence_intervals import covers, plant
from benchmarks.calibration.evidence_primary import ORDERS
from benchmarks.calibration.evidence_run import SHAPES, Series
from benchmarks.calibration.evidence_world import components, synthetic
from rare_neurons.numerics.evidence.noise_draws import draw_noise
from rare_neurons.numerics.evidence.run import detect_change
from rare_neurons.numerics.grid.moments import mean_leave_outs, mean_square_leave_outs


@pytest.fixture(scope="module")
def world():
    return synthetic("rare", n_channels=60, kind="forty", rng=np.random.default_rng(0))


def test_the_world_has_targets_documents_and_types_of_a_panel(world):
    assert world.counts.sum() == 8000
    assert 25 < world.design.effective[0] < 60
    assert world.design.effective[1] > 200


def test_intervals_of_means_and_mean_squares_cover(world):
    rng = np.random.default_rng(1)
    mean, square = [], []
    for _ in range(250):
        cells = world.noise(rng)
        mean.append(covers(mean_leave_outs(cells.mean(0), world.counts), 0.0))
        theta = plant(world, 3, 0.1, rng)
        planted = cells + theta[:, None, None] * world.counts
        square.append(covers(mean_square_leave_outs(planted, world.counts), float((theta**2).mean())))
    # Nominal .90; binomial standard error .02.
    assert np.mean(mean) >= 0.84
    assert np.mean(square) >= 0.86


def test_an_onset_at_three_times_the_floor_is_found_for_few_and_for_all_neurons(world):
    rng = np.random.default_rng(2)
    series, found = Series(world, rng), {1: [], 60: []}
    for _ in range(40):
        cells = series.draw()
        products = series.products(cells)
        for k, hits in found.items():
            theta = plant(world, k, 3 * series.floor, rng)
            statistic = series.squares(cells, products, theta, SHAPES["abrupt"](12))
            noise = draw_noise(n_folds=12, rng=rng, draws=199)
            hits.append(detect_change(statistic, noise=noise).sign == 1)
    assert all(np.mean(hits) >= 0.75 for hits in found.values())


def test_measured_components_are_those_planted():
    rng = np.random.default_rng(3)
    document, types = rng.integers(0, 60, 8000), rng.integers(0, 300, 8000)
    values = 0.5 * rng.standard_normal((60, 4))[document] + rng.standard_normal((300, 4))[types]
    values += 2 * rng.standard_normal((8000, 4))
    of_document, of_type, factor, pair = components(values - values.mean(0), document, types)
    np.testing.assert_allclose(np.square(of_document).mean(0), 0.25, rtol=0.5)
    np.testing.assert_allclose(np.square(of_type).mean(0), 1.0, rtol=0.35)
    np.testing.assert_allclose(np.diag(factor @ factor.T), 4.0, rtol=0.1)
    assert pair < 0.1


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_of_primary_questions_that_is_compared_has_the_level(order):
    rng = np.random.default_rng(4)
    p = rng.random((2000, 8))
    p[1000:, 0] = 1e-6  # the loss changes, nothing else does
    found = np.array([ORDERS[order](row.tolist()) for row in p]) <= 0.05
    wrong = found[:1000].any(1).mean(), found[1000:, 1:].any(1).mean()
    # Binomial standard error .007.
    assert max(wrong) <= 0.07
