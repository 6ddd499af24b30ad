import numpy as np
import pytest

from benchmarks.calibration.organisation import make_world, p_values, split_of
from rare_neurons.numerics.organisation.coactivation import (
    QUANTITIES,
    CoActivation,
    Excess,
    Split,
    effective_dimension_95,
    pair_means,
    participation_ratio,
    rank_one,
)

SETS = np.array([[0, 3, 7, 9], [1, 2, 5, 8]])


def outer(loadings):
    return np.outer(loadings, loadings)


def test_pair_means_are_means_over_pairs():
    matrix = np.random.default_rng(0).normal(size=(10, 10))
    expected = [np.mean([matrix[i, j] for i in s for j in s if i != j]) for s in SETS]
    np.testing.assert_allclose(pair_means(matrix, SETS), expected, rtol=1e-12)


@pytest.mark.parametrize("signed", [False, True])
def test_a_matrix_of_rank_one_is_found_whatever_its_diagonal(signed):
    rng = np.random.default_rng(1)
    loadings = rng.uniform(0.1, 0.6, 12) * (rng.choice([-1, 1], 12) if signed else 1)
    matrix = outer(loadings) + np.diag(rng.normal(size=12))
    # thirty turns of filling the diagonal leave 1e-9 of it at twelve neurons
    np.testing.assert_allclose(outer(rank_one(matrix, signed=signed)), outer(loadings), atol=1e-7)


def test_nothing_is_fitted_where_pairs_are_negative_on_average():
    matrix = -np.ones((5, 5))
    assert rank_one(matrix).tolist() == [0] * 5


def test_excess_is_nothing_in_a_layer_of_rank_one_and_the_cluster_where_there_is_nothing_else():
    loadings = np.linspace(0.1, 0.6, 40)
    whole, pairs = Excess.of(outer(loadings))(np.array([[0, 5, 30, 39]]))[0], pair_means(outer(loadings), SETS[:1])
    assert abs(whole[0]) < 1e-9 < pairs[0]
    cluster = np.zeros((40, 40))
    cluster[:4, :4] = 0.2
    excess, mean = Excess.of(cluster)(np.array([[0, 1, 2, 3]]))
    np.testing.assert_allclose((excess, mean), 0.2, rtol=1e-6)
    assert rank_one(cluster)[:4].min() > 0.4  # which a fit to all pairs takes for the layer's own


def test_quantities_are_their_definitions():
    rng = np.random.default_rng(2)
    splits = [
        Split(*(np.corrcoef(rng.normal(size=(12, 60)) + rng.normal(size=60)) for _ in range(2))) for _ in range(2)
    ]
    found = dict(zip(QUANTITIES, CoActivation(splits)(SETS).T, strict=True))
    squares = [[split.first[np.ix_(s, s)] * split.second[np.ix_(s, s)] for s in SETS] for split in splits]
    off = ~np.eye(4, dtype=bool)
    expected = np.mean([[block[off].mean() for block in blocks] for blocks in squares], axis=0)
    np.testing.assert_allclose(found["mean_square_correlation"], expected, rtol=1e-12)
    rest = []
    for split in splits:
        a, b = (part[np.ix_(SETS[0], SETS[0])] for part in (split.first, split.second))
        v = np.linalg.eigh(a)[1][:, -1]
        p = np.eye(4) - outer(v)
        rest.append(np.trace(p @ a @ p) * np.trace(p @ b @ p) / np.sum((p @ a @ p) * (p @ b @ p)) / 4)
    assert found["participation_ratio_rest"][0] == pytest.approx(np.mean(rest), rel=1e-10)


def test_mean_square_correlation_has_no_bias_of_noise():
    rng = np.random.default_rng(3)
    common = 0.6
    values = []
    for _ in range(100):
        parts = []
        for _part in range(2):
            a = common * rng.normal(size=(200, 1)) + np.sqrt(1 - common**2) * rng.normal(size=(200, 10))
            parts.append(np.corrcoef(a.T))
        values.append(CoActivation([Split(*parts)])(SETS)[0, 2])
    se = np.std(values) / 10
    assert np.mean(values) == pytest.approx(common**4, abs=4 * se)


def test_participation_ratio_is_that_of_eigenvalues():
    r = np.full((6, 6), 0.3) + 0.7 * np.eye(6)
    values = np.linalg.eigvalsh(r)
    assert participation_ratio(0.09, 6) == pytest.approx(values.sum() ** 2 / (values**2).sum())


def test_the_published_effective_dimension_follows_the_number_of_rows():
    rng = np.random.default_rng(4)
    found = [effective_dimension_95(rng.normal(size=(n, 100)), np.arange(100)) for n in (50, 119, 10_000)]
    # independent neurons throughout; 95 % of them would be .95
    np.testing.assert_allclose(found, [0.40, 0.67, 0.94], atol=0.03)


def test_matching_by_deciles_alone_fires_where_correlation_follows_variance():
    rng = np.random.default_rng(5)
    found = [p_values(make_world("variance", rng, n=256, rows=600, g=15), rng, draws=59) for _ in range(16)]
    share = {name: np.mean([p[name] <= 0.05 for p in found]) for name in found[0]}
    assert share["raw r2, matched by deciles"] > 0.5
    assert share["excess_square_correlation"] <= 0.25  # at 5 % more than 4 of 16 have probability 1e-3


def test_a_planted_cluster_is_found():
    rng = np.random.default_rng(6)
    for kind in ("iid", "many factors"):
        world = make_world(kind, rng, planted=0.08)
        found = p_values(world, rng)
        assert max(found["excess_square_correlation"], found["excess_correlation"]) <= 0.01, kind
    assert split_of(world).first.shape == (384, 384)
