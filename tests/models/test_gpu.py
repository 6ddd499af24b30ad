"""The same code path on a CUDA device."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rare_neurons.models.allocation.measure import AllocationOptions, measure_allocation
from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.layers.heads import HeadOptions, measure_heads
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


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_accounts_and_heads_on_a_gpu_are_those_of_the_cpu(name):
    panel, strata = random_panel(n_contexts=24), ("common", "rare")
    options = AllocationOptions(strata=strata, contexts=None, batch_size=7)
    found = {}
    for device in ("cpu", "cuda"):
        before, after = (random_model(name).to(device) for _ in range(2))
        with torch.no_grad():
            after.get_output_embeddings().weight.mul_(1.1)
            before.base_model.get_input_embeddings().weight.mul_(0.9)
        heads = measure_heads(after, panel, HeadOptions(strata=strata, contexts=None, batch_size=7))
        found[device] = {**measure_allocation(before, after, panel, options).rows, **heads}
    for column in ("allocation", "allocation_se", "allocation_within", "influence", "influence_within_se"):
        # float64 on both: what differs is the order of sums.
        np.testing.assert_allclose(found["cuda"][column], found["cpu"][column], atol=1e-9, err_msg=column)
