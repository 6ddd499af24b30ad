import itertools

import numpy as np
import pytest

from rare_neurons.numerics.onset.lead_lag import lead_lag

TREND = np.array([0, 0, 0, 0, 1, 2, 4, 8, 9, 9.5, 10, 10])


def _trending(n_seeds, rng):
    return TREND + np.cumsum(0.5 * rng.standard_normal((n_seeds, 12)), axis=1)


def test_two_trends_that_ignore_each_other_do_not_lead():
    rng = np.random.default_rng(0)
    called, raw = 0, []
    for _ in range(150):
        first, second = _trending(5, rng), _trending(5, rng)
        called += lead_lag(first, second, max_lag=2, seed=rng, draws=30).p_value <= 0.05
        raw.append(np.corrcoef(np.diff(first).ravel(), np.diff(second).ravel())[0, 1])
    assert called / 150 <= 0.09
    # What the increments alone would say: strongly correlated, in every draw.
    assert np.min(raw) > 0.5


@pytest.mark.parametrize("lag", [1, 2])
def test_a_planted_lead_is_found_and_mirrors(lag):
    rng = np.random.default_rng(1)
    first = _trending(6, rng)
    second = np.concatenate([np.zeros((6, lag)), 2 * first[:, :-lag]], axis=1) + 0.1 * rng.standard_normal((6, 12))
    found = lead_lag(first, second, max_lag=3, seed=2, draws=199)
    assert (found.lag, found.leads) == (lag, "first")
    assert found.low <= lag <= found.high
    assert found.p_value <= 0.05
    mirrored = lead_lag(second, first, max_lag=3, seed=2, draws=199)
    assert (mirrored.lag, mirrored.leads) == (-lag, "second")
    np.testing.assert_allclose(mirrored.correlation, found.correlation[::-1])


def test_together_is_no_lead():
    rng = np.random.default_rng(3)
    first = _trending(6, rng)
    found = lead_lag(first, 3 * first + 0.05 * rng.standard_normal((6, 12)), max_lag=2, draws=199)
    assert (found.lag, found.leads) == (0, None)
    assert found.p_value <= 0.05


def test_correlation_and_p_equal_the_plain_loops():
    rng = np.random.default_rng(4)
    first, second = rng.standard_normal((2, 4, 7))
    found = lead_lag(first, second, max_lag=1, draws=20)
    a, b = (np.diff(x) - np.diff(x).mean(axis=0) for x in (first, second))
    norm = np.sqrt((a**2).sum() * (b**2).sum())

    def at(lag, pairing):
        total = 0.0
        for k, t in itertools.product(range(4), range(6)):
            if 0 <= t + lag < 6:
                total += a[k, t] * b[pairing[k], t + lag]
        return total / norm

    np.testing.assert_allclose(found.correlation, [at(lag, range(4)) for lag in (-1, 0, 1)])
    best = [max(abs(at(lag, p)) for lag in (-1, 0, 1)) for p in itertools.permutations(range(4))]
    assert found.p_value == pytest.approx(np.mean(np.array(best) >= best[0] - 1e-12))


def test_three_seeds_cannot_tell():
    found = lead_lag(np.zeros((3, 12)), np.zeros((3, 12)), max_lag=1)
    assert (found.status, found.p_value, found.leads) == ("not_identifiable", None, None)
    assert found.reason == "3 seeds allow 6 pairings; level 0.05 needs 4 or more seeds"
    few = lead_lag(np.zeros((5, 4)), np.zeros((5, 4)), max_lag=2)
    assert "3 increments between checkpoints, but lags up to 2 need 5" in few.reason


def test_equal_runs_and_missing_steps():
    same = lead_lag(np.tile(TREND, (5, 1)), np.tile(TREND, (5, 1)), max_lag=1, draws=20)
    assert (same.status, same.p_value, same.leads) == ("ok", 1.0, None)
    rng = np.random.default_rng(5)
    first, second = _trending(5, rng), _trending(5, rng)
    holed = first.copy()
    holed[2, 6] = np.nan
    without = np.delete(np.arange(12), 6)
    expected = lead_lag(first[:, without], second[:, without], max_lag=1, draws=20)
    np.testing.assert_allclose(lead_lag(holed, second, max_lag=1, draws=20).correlation, expected.correlation)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r"first \(4, 7\) and second \(4, 6\) must be \[seed, step\]"):
        lead_lag(np.zeros((4, 7)), np.zeros((4, 6)), max_lag=1)
