"""A synthetic final layer of moderate size, and what the exact engine says of it."""

import pytest

from benchmarks.influence_inputs import Shape, synthetic_inputs
from rare_neurons.models.influence.panel_pass import measure_panel
from tests.models.influence.layers import EXACT


@pytest.fixture(scope="session")
def layer():
    return synthetic_inputs(Shape(2048, 64, 160, 2, 2), 900, seed=2, median_abs_influence=1e-3)


@pytest.fixture(scope="session")
def exact(layer):
    return measure_panel(layer, EXACT)
