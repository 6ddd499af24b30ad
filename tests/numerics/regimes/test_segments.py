import numpy as np
import pytest

from rare_neurons.numerics.regimes.segments import fit_segments, resampled_knots
from tests.reference.regimes import exhaustive_segments


@pytest.mark.parametrize("n_segments", [1, 2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_equals_the_exhaustive_reference(n_segments, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(9, 34))
    x = np.log(np.arange(1, n + 1))
    y = np.sort(np.log(np.abs(rng.standard_normal(n))))[::-1] if seed % 2 else rng.standard_normal(n)
    rss, knots = exhaustive_segments(x, y, n_segments)
    fit = fit_segments(x, y, n_segments)
    assert fit.rss == pytest.approx(rss, rel=1e-9)
    assert fit.knots == knots


def test_exact_curve_is_recovered_across_search_blocks():
    x = np.log(np.arange(1, 701))
    y = 1 - 0.05 * x - 0.8 * np.maximum(x - x[19], 0) - 2 * np.maximum(x - x[412], 0)
    fit = fit_segments(x, y, 3)
    assert fit.knots == (19, 412)
    np.testing.assert_allclose(fit.slopes, (-0.05, -0.85, -2.85), rtol=1e-8)
    assert fit.r_squared == pytest.approx(1)


def test_resampled_knots_equal_single_fits():
    rng = np.random.default_rng(0)
    x = np.log(np.arange(1, 15)) + np.arange(14)
    y = rng.standard_normal((20, 14))
    knots, slope = resampled_knots(x, y)
    fits = [fit_segments(x, row, 3) for row in y]
    assert [tuple(pair) for pair in knots] == [fit.knots for fit in fits]
    np.testing.assert_allclose(slope, [fit.slopes[1] for fit in fits])


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="6 points, but 3 segments need 7"):
        fit_segments(np.arange(6), np.ones(6), 3)
    with pytest.raises(ValueError, match="strictly increasing"):
        fit_segments([0, 1, 1, 2, 3], np.ones(5), 2)
    with pytest.raises(ValueError, match="drop ranks whose value is zero"):
        fit_segments(np.arange(5), [0, 0, -np.inf, 0, 0], 1)
    with pytest.raises(ValueError, match="n_segments=4"):
        fit_segments(np.arange(9), np.ones(9), 4)
