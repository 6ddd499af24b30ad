"""Maps of the layers: cells by their keys, noise told from effect, one scale for all models."""

import numpy as np
import pandas as pd
import pytest

from rare_neurons.atlas.views.layers import PARTS, ranges, squares

AXES = [["common", "rare"], PARTS, [0, 1], [0, 8]]


def table(**columns) -> pd.DataFrame:
    known = {"stratum": ["rare"], "part": ["within"], "layer": [1], "step": [8], "se_type_factor": [1.0]}
    return pd.DataFrame({**known, **{name: [value] for name, value in columns.items()}})


def test_a_cell_lies_where_its_keys_say_and_others_are_unknown():
    values, resolved = squares(table(mean_square=4e-8, mean_square_se=1e-8), AXES)
    assert values.shape == (2, 2, 2, 2)
    assert values[1, 1, 1, 1] == pytest.approx(2e-4)
    assert np.isnan(values).sum() == 15
    assert resolved.sum() == resolved[1, 1, 1, 1] == 1


@pytest.mark.parametrize(("factor", "beyond"), [(0.5, True), (1.0, True), (3.0, False)])
def test_noise_is_that_of_documents_and_types_and_never_less_than_that_of_documents(factor, beyond):
    row = table(mean_square=4e-8, mean_square_se=1e-8).assign(se_type_factor=factor)
    assert squares(row, AXES)[1].any() == beyond


def test_a_mean_square_below_zero_is_drawn_as_zero_within_noise():
    values, resolved = squares(table(mean_square=-1e-9, mean_square_se=1e-8), AXES)
    assert values[1, 1, 1, 1] == 0
    assert not resolved.any()


def test_the_scale_covers_all_models_and_is_none_without_an_effect():
    one, other = np.full((1, 2, 1, 1), np.nan), np.full((1, 2, 1, 1), np.nan)
    one[0, 1], other[0, 1] = 1e-4, 3e-4
    assert ranges([one, other]) == {"whole": None, "within": [1e-4, 3e-4]}
