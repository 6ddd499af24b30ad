"""P beyond the draws, where the tail is known."""

import numpy as np
import pytest

from rare_neurons.numerics.regimes.null_tables import regime_null_table
from rare_neurons.numerics.regimes.null_tail import empirical_p, tail_p


def test_counted_p_is_that_of_a_permutation_test():
    draws = np.array([-np.inf, 0.0, 1.0, 2.0])
    assert [empirical_p(draws, t) for t in (-1.0, 1.0, 5.0)] == [4 / 5, 3 / 5, 1 / 5]


def test_below_the_upper_tenth_p_is_counted_and_falls_from_there():
    draws = np.sort(np.random.default_rng(0).exponential(size=500))
    for t in (0.1, 1.0, draws[-50]):
        assert tail_p(draws, t) == empirical_p(draws, t)
    p = [tail_p(draws, t) for t in (draws[-50], 4.0, 6.0, 9.0)]
    assert p == sorted(p, reverse=True)
    # 50 exceedances know their mean to 14 %, an exponent of 9 - 2.3 to about 0.95.
    assert np.log(p[-1]) == pytest.approx(-9, abs=3)


def test_without_a_tail_p_is_counted():
    few = np.sort(np.random.default_rng(0).exponential(size=60))
    assert tail_p(few, 50.0) == 1 / 61
    unknown = np.concatenate([np.full(495, -np.inf), np.arange(5.0)])
    assert tail_p(unknown, 50.0) == 1 / 501
    assert tail_p(np.ones(200), 50.0) == 1 / 201


def test_the_regime_statistics_own_tail_is_exponential_enough():
    # Few draws extrapolated against many counted, at a p that the few cannot resolve; over all families and shapes.
    many, few = (regime_null_table(62, n_draws=n, seed=n) for n in (2000, 200))
    errors = [
        np.log(tail_p(drawn, counted[-6])) - np.log(6 / 2000)
        for drawn, counted in zip(few.statistic, many.statistic, strict=True)
    ]
    # 20 exceedances and 6 counts give an sd of some 0.9 each; families share draws of neither.
    assert abs(np.mean(errors)) < 0.6
