import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_regression

from rare_neurons.numerics.organisation.mutual_information import ksg, measure_mutual_information, normal_scores


def pair(r, n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, r * x + np.sqrt(1 - r**2) * rng.normal(size=n)


def test_the_estimate_is_that_of_scikit_learn():
    x, y = pair(0.6, 400, 0)
    # which rescales, and adds noise of 1e-10 of a variable's size
    x, y = x / x.std(), y / y.std()
    other = mutual_info_regression(x[:, None], y, n_neighbors=3, random_state=0, discrete_features=False)[0]
    assert ksg(x, y) == pytest.approx(other, abs=1e-3)


@pytest.mark.parametrize("r", [0.0, 0.5, 0.8])
def test_gaussian_pairs_have_their_known_information(r):
    found = [ksg(*(normal_scores(v) for v in pair(r, 2000, seed))) for seed in range(6)]
    assert np.mean(found) == pytest.approx(-0.5 * np.log(1 - r**2), abs=0.02)  # sd of one .02


def test_dependence_without_correlation_is_found_and_correlation_alone_is_not():
    rng = np.random.default_rng(1)
    context = np.repeat(np.arange(100), 20)
    shared = rng.normal(size=(2000, 1))
    gaussian = 0.5 * shared + rng.normal(size=(2000, 3))
    none = measure_mutual_information(gaussian, context, rng=rng)
    assert none.p_value > 0.05
    scale = np.exp(shared) * rng.normal(size=(2000, 3))
    found = measure_mutual_information(scale, context, rng=rng, max_pairs=2)
    assert found.p_value == 0.05
    assert found.value > 0.1 > abs(found.null_median)
    assert (found.n_pairs, found.n_rows) == (2, 2000)


def test_few_rows_are_refused():
    with pytest.raises(ValueError, match="mutual information of 50 rows, but 2000 are needed"):
        measure_mutual_information(np.ones((50, 2)), np.arange(50), rng=np.random.default_rng(0))
