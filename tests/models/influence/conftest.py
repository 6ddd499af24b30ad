"""A synthetic final layer of moderate size, and what the exact engine says of it."""

import numpy as np
import pytest
from filelock import FileLock

from benchmarks.influence_inputs import Shape, synthetic_inputs
from rare_neurons.models.influence.panel_pass import measure_panel
from tests.models.influence.layers import EXACT


@pytest.fixture(scope="session")
def layer():
    return synthetic_inputs(Shape(2048, 64, 160, 2, 2), 900, seed=2, median_abs_influence=1e-3)


@pytest.fixture(scope="session")
def exact(layer, tmp_path_factory, worker_id):
    """Arrays by name, computed once for all workers."""
    base = tmp_path_factory.getbasetemp()
    path = (base if worker_id == "master" else base.parent) / "exact-layer.npz"
    with FileLock(f"{path}.lock"):
        if not path.exists():
            found = measure_panel(layer, EXACT)
            assert {type(values) for values in found.values()} == {np.ndarray}
            np.savez(path, **found)
    with np.load(path) as saved:
        return dict(saved)
