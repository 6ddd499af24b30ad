import numpy as np
import pytest

from rare_neurons.numerics.evidence.noise_draws import draw_errors, draw_noise, draw_t, held, t_values
from rare_neurons.numerics.grid.jackknife import standard_error
from tests.numerics.evidence.worlds import exactly, means


def test_draws_have_unit_variance_and_the_leave_outs_correlation():
    rng = np.random.default_rng(0)
    series = means(np.zeros(4), rng, memory=0.9)
    drawn = draw_errors(series, draw_noise(n_folds=12, rng=rng, draws=20_000))
    np.testing.assert_allclose(drawn.var(0), 1, rtol=0.03)
    parts = np.concatenate([p - p.mean(-1, keepdims=True) for p in (series.row, series.column)], axis=-1)
    np.testing.assert_allclose(np.corrcoef(drawn.T), np.corrcoef(parts), atol=0.03)


def test_a_single_contrast_has_students_tails():
    rng = np.random.default_rng(1)
    t = draw_t(means(np.zeros(1), rng), draw_noise(n_folds=12, rng=rng, draws=40_000))[:, 0]
    assert np.mean(np.abs(t) > 1.796) == pytest.approx(0.1, abs=0.006)


def test_a_contrast_without_noise_is_zero_in_every_draw():
    rng = np.random.default_rng(2)
    assert not draw_t(exactly([1.0]), draw_noise(n_folds=12, rng=rng, draws=99)).any()


def test_t_values_without_error_are_zero_or_infinite():
    assert t_values(exactly([0.0, 2.0, -1.0])).tolist() == [0, np.inf, -np.inf]
    series = means(np.ones(2), np.random.default_rng(3))
    np.testing.assert_allclose(t_values(series), series.value / standard_error(series))


def test_held_is_the_smallest_of_each_window():
    assert held(np.array([[3, 1, 2, 5]]), 2).tolist() == [[1, 1, 2]]


def test_the_same_generator_state_gives_the_same_draws():
    one, two = (draw_noise(n_folds=5, rng=np.random.default_rng(7), draws=99) for _ in range(2))
    assert (one.normal == two.normal).all()
    assert (one.scale == two.scale).all()
    with pytest.raises(ValueError, match="draws=50"):
        draw_noise(n_folds=5, rng=np.random.default_rng(7), draws=50)
