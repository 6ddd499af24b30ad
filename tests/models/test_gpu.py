"""The same code path on a CUDA device."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rare_neurons.models.influence.probe import probe_model
from tests.models.tiny import EXACT, random_model, random_panel

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.mark.parametrize("engine", ["certified", "exact"])
@pytest.mark.parametrize("name", ["gpt_neox-parallel", "olmo2"])
def test_gpu_equals_cpu_within_bounds(name, engine):
    settings = replace(EXACT, engine=engine)
    panel = random_panel()
    cpu = probe_model(random_model(name), panel, settings)
    gpu = probe_model(random_model(name).to("cuda"), panel, settings)
    bound = sum(r.truncation_bound + r.rounding_bound for r in (cpu, gpu)) + 1e-9
    for column in ("influence", "abs_influence", "influence_within"):
        assert (np.abs(getattr(gpu, column) - getattr(cpu, column)) <= bound).all(), column
