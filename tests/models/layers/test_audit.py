"""Exact ablation against the plain definition: one hooked pass of the whole network per neuron."""

import numpy as np
import pytest
import torch

from rare_neurons.models.layers.audit import ablate
from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.draws import draw_sample
from rare_neurons.models.layers.estimate import mean_activation
from rare_neurons.models.layers.losses import LossReadout
from tests.models.tiny import NAMES, random_model, random_panel

CHOSEN = [np.array([0, 3, 11]), np.array([5])]


def _plain(model, blocks, sample, panel, layer, neuron, value):
    """Whole and within losses `[part, target]` of the network with a neuron at a value (None: as it is)."""

    def edit(_module, args):
        x = args[0].clone()
        x[..., neuron] = value
        return (x,)

    handle = blocks.w_out[layer].register_forward_pre_hook(edit) if value is not None else None
    with torch.no_grad():
        log_p = model(input_ids=torch.from_numpy(sample.token_ids)).logits.double().log_softmax(-1).numpy()
    if handle is not None:
        handle.remove()
    at = log_p[sample.context, sample.position]
    rows = np.arange(len(at))
    own = panel.vocab_stratum[None] == panel.vocab_stratum[sample.target_id][:, None]
    within = np.log(np.where(own, np.exp(at), 0).sum(1))
    return np.stack([-at[rows, sample.target_id], within - at[rows, sample.target_id]])


@pytest.mark.parametrize(("name", "batch_size"), [*((name, 3) for name in NAMES), ("gpt2", 1), ("llama", 30)])
def test_ablation_is_that_of_the_whole_network(name, batch_size):
    model, panel = random_model(name), random_panel()
    blocks, readout = Blocks(model), LossReadout(model, panel.vocab_stratum, n_strata=3)
    sample = draw_sample(panel, ("common", "rare"), 5, seed=0)
    means = mean_activation(blocks, sample, batch_size=2)
    done = []
    found = ablate(blocks, readout, sample, means, CHOSEN, batch_size=batch_size, tick=done.append)
    assert done[-1] == len(sample) == 5
    base = _plain(model, blocks, sample, panel, 0, 0, None)
    for layer, neurons in enumerate(CHOSEN):
        for k, neuron in enumerate(neurons):
            after = _plain(model, blocks, sample, panel, layer, neuron, means[layer, neuron])
            # float32 storage of changes of the order of one
            np.testing.assert_allclose(found[layer][:, k], after - base, rtol=1e-6, atol=1e-6)


def test_small_changes_keep_their_digits_in_float32():
    exact, panel = random_model("gpt_neox-parallel"), random_panel()
    with torch.no_grad():
        for block in exact.gpt_neox.layers:
            block.mlp.dense_4h_to_h.weight.mul_(1e-4)
    found = []
    for model in (exact, random_model("gpt_neox-parallel", dtype=torch.float32)):
        model.load_state_dict(exact.state_dict())
        blocks, readout = Blocks(model), LossReadout(model, panel.vocab_stratum, n_strata=3)
        sample = draw_sample(panel, panel.strata, None, seed=0)
        means = mean_activation(blocks, sample, batch_size=8)
        found.append(ablate(blocks, readout, sample, means, [np.arange(20)] * 2, batch_size=8))
    for one, other in zip(*found, strict=True):
        # A difference of two float32 losses would be rounded to 2e-7; the changes are of that order of magnitude.
        assert np.sqrt(np.mean(one**2)) < 3e-4
        assert np.abs(one - other).max() < 2e-6
