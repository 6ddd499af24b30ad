import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.stats import t as student_t

from rare_neurons.figures.parts.bands import draw_band, of_cells, of_columns, of_error, of_square
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.results import load_shards, load_timeline
from tests.figures.tree import RUNS

QUANTILE = student_t.ppf(0.95, N_FOLDS - 1)


def test_an_interval_is_the_error_times_the_quantile_of_t():
    low, high = of_error("mean")("", pd.DataFrame({"mean": [1.0], "mean_se": [0.1]}))
    assert (low[0], high[0]) == pytest.approx((1 - 0.1 * QUANTILE, 1 + 0.1 * QUANTILE))


def test_the_interval_of_a_root_is_that_of_its_square_with_the_signs_kept():
    table = pd.DataFrame({"rms": [0.3, -0.2], "square_se": [0.1, 0.01]})
    low, high = of_square("rms")("", table)
    signed = [(0.09, 0.1), (-0.04, 0.01)]
    for k, (square, error) in enumerate(signed):
        ends = [square - QUANTILE * error, square + QUANTILE * error]
        assert [low[k] * abs(low[k]), high[k] * abs(high[k])] == pytest.approx(ends)


def test_ends_that_the_timeline_has_are_taken():
    low, high = of_columns("least", "most")("", pd.DataFrame({"least": [1], "most": [3]}))
    assert (low[0], high[0]) == (1, 3)


def test_the_interval_of_a_mean_over_cells_is_the_two_way_jackknife(results):
    table = load_timeline(results, "behaviour", models=RUNS)
    low, high = of_cells("behaviour", "loss")(results, table)
    np.testing.assert_allclose((low + high) / 2, table.loss)  # cells have the mean of their stratum
    row = table.iloc[-1]
    cells = load_shards(results, "behaviour", models=row.model, steps=int(row.step))
    cells = cells[cells.stratum == row.stratum]
    half = QUANTILE * slow_error(cells.pivot(index="fold", columns="type_bin", values="loss").to_numpy())
    assert (high.iloc[-1] - low.iloc[-1]) / 2 == pytest.approx(half)
    assert half > 0


def slow_error(cells):
    """Two-way standard error of a mean over cells with equal counts, by leaving out each row, column and cell."""
    k = len(cells)
    rows = [np.delete(cells, a, 0).mean() for a in range(k)]
    columns = [np.delete(cells, b, 1).mean() for b in range(k)]
    single = [np.delete(cells.ravel(), c).mean() for c in range(k * k)]
    spread = [
        (len(one) - 1) / len(one) * np.square(np.subtract(one, np.mean(one))).sum() for one in (rows, columns, single)
    ]
    return np.sqrt(max(spread[0] + spread[1] - spread[2], spread[2]))


def test_a_point_without_neighbours_has_a_bar():
    axis = Figure().subplots()
    low = pd.Series([1, np.nan, 2, 3, np.nan, 5], dtype=float)
    draw_band(axis, np.arange(6), low, low + 1, "red")
    bars = axis.collections[1].get_segments()
    assert [bar[:, 0].tolist() for bar in bars] == [[0, 0], [5, 5]]
    assert bars[1][:, 1].tolist() == [5, 6]
