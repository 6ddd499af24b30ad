"""Matrices: which eigenvalues are drawn, where fits lie, and how many checkpoints a page can hold."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rare_neurons.atlas.views.matrices import (
    FITTED,
    N_QUANTILES,
    N_TOP,
    eigenvalues,
    fits,
    name_of,
    ranks,
    thinned,
)
from rare_neurons.tables import write_table


@pytest.mark.parametrize("n", [1, N_TOP, N_TOP + N_QUANTILES])
def test_all_eigenvalues_of_a_small_matrix_are_drawn(n):
    assert ranks(n).tolist() == list(range(1, n + 1))


@pytest.mark.parametrize("n", [149, 1024, 50_304])
def test_of_a_large_one_the_largest_and_even_quantiles_down_to_the_least(n):
    drawn = ranks(n)
    assert len(set(drawn.tolist())) == N_TOP + N_QUANTILES
    assert drawn[:N_TOP].tolist() == list(range(1, N_TOP + 1))
    assert drawn[-1] == n
    gaps = np.diff(drawn[N_TOP:])
    assert gaps.max() - gaps.min() <= 1


def test_eigenvalues_fall_and_zeros_have_no_logarithm(tmp_path):
    rows = [
        {"layer": 0, "matrix": "W_in", "eigenvalues": [0.0, 0.1, 100.0]},
        {"layer": None, "matrix": "W_E", "eigenvalues": None},
        {"layer": 1, "matrix": "W_in", "eigenvalues": [float(k) for k in range(1, 1001)]},
    ]
    write_table(pa.Table.from_pylist(rows), tmp_path / "step8.parquet", {})
    matrices = [{"name": name_of(row["layer"], row["matrix"])} for row in reversed(rows)]
    found = eigenvalues([tmp_path / "step8.parquet"], matrices)
    assert found.shape == (1, 3, N_TOP + N_QUANTILES)
    large, absent, small = found[0]
    assert 10 ** large[[0, N_TOP - 1, N_TOP, -1]] == pytest.approx([1000, 981, 980, 1])
    assert np.isnan(absent).all()
    assert small[:2].tolist() == [2, -1]
    assert np.isnan(small[2:]).all()


def test_a_fit_lies_at_its_matrix_and_step():
    row = {"name": "W_E", "step": 8} | {name: float(k) for k, name in enumerate(FITTED, 1)}
    found = fits(pd.DataFrame([row]), [{"name": "layer 0 W_in"}, {"name": "W_E"}], [0, 8])
    assert found[:, 1, 1].tolist() == [1, 2, 3, 4, 5, 6]
    assert np.isnan(found).sum() == found.size - len(FITTED)


@pytest.mark.parametrize("most", [2, 5, 11, 40])
def test_left_out_checkpoints_are_even_and_never_the_ends(most):
    steps = [2**k for k in range(11)]
    kept = thinned(steps, most)
    assert len(kept) == min(most, 11)
    assert (kept[0], kept[-1]) == (1, 1024)
    places = np.diff([steps.index(step) for step in kept])
    assert places.max() - places.min() <= 1
