import numpy as np

from benchmarks.calibration.set_designs import deciles
from rare_neurons.numerics.organisation.edge import edge_sets
from rare_neurons.numerics.organisation.row_correlations import top_eigenvalues, unit_rows

N, SIZE = 200, 15


def strongest(covariates):
    return np.argsort(-covariates[:, 0], kind="stable")[:SIZE]


def test_only_neurons_at_the_edge_change_places_and_every_exchange_comes_once():
    covariates = np.random.default_rng(0).lognormal(size=(N, 1))
    order = np.argsort(-covariates[:, 0])
    sets = edge_sets(order[:SIZE], covariates, np.random.default_rng(1), n_sets=99)
    inner, pool = set(order[: SIZE - 3]), set(order[SIZE - 3 : SIZE + 3])
    found = {frozenset(one.tolist()) for one in sets}
    assert len(sets) == len(found) == 19  # 6 choose 3, without the set itself
    assert all(inner <= one and one - inner <= pool for one in found)
    assert frozenset(order[:SIZE].tolist()) not in found


def test_too_many_exchanges_are_drawn():
    covariates = np.random.default_rng(0).lognormal(size=(N, 1))
    order = np.argsort(-covariates[:, 0])
    sets = edge_sets(order[:30], covariates, np.random.default_rng(1), n_sets=50)  # 12 choose 6 are 924
    assert sets.shape == (50, 30)
    assert all(len(set(one.tolist())) == 30 for one in sets)
    assert set(order[:24].tolist()) == set(sets.T[0:24].ravel().tolist())


def test_p_is_uniform_for_sets_that_a_covariate_chooses_where_strong_neurons_are_alike():
    rng, p_edge, p_decile = np.random.default_rng(3), [], []
    for _ in range(120):
        covariates = np.c_[np.sort(rng.lognormal(size=N))[::-1], rng.standard_normal((N, 2))]
        # Rows share a direction, the more the stronger: the strongest are alike whatever chooses them.
        share = 0.6 * np.linspace(1, 0, N)[:, None] ** 2
        rows = np.sqrt(1 - share) * rng.standard_normal((N, 32)) + np.sqrt(share) * rng.standard_normal(32)
        chosen = strongest(covariates)
        for p, random in (
            (p_edge, edge_sets(chosen, covariates, rng, n_sets=99)),
            (p_decile, deciles(chosen, covariates, rng, 19)),
        ):
            top = top_eigenvalues(unit_rows(rows, None), np.concatenate([chosen[None], random]))[:, 0]
            p.append((1 + (top[1:] >= top[0] * (1 - 1e-9)).sum()) / len(top))
    # 120 sets at a nominal 0.05: 99.9 % of binomial draws are at most 14; of their mean 0.5, four errors are 0.105
    assert np.sum(np.array(p_edge) <= 0.05) <= 14
    assert abs(np.mean(p_edge) - 0.5) < 0.105
    assert np.mean(np.array(p_decile) <= 0.05) > 0.15
