"""The mean gradient of each stratum's loss, against autograd."""

import numpy as np
import pytest
import torch

from rare_neurons.models.influence.probe import probe_model
from tests.models.tiny import EXACT, random_model, random_panel

NORMS = {"gpt_neox-parallel": "gpt_neox.final_layer_norm", "llama": "model.norm"}


def gradients(model, norm, panel):
    """Autograd's gradient of each stratum's mean loss with respect to the final norm's input."""
    captured = []
    handle = model.get_submodule(norm).register_forward_pre_hook(lambda _module, args: captured.append(args[0]))
    log_p = torch.log_softmax(model(input_ids=torch.from_numpy(panel.token_ids)).logits, -1)
    handle.remove()
    loss = -log_p[panel.context, panel.position, panel.target_id]
    for s in range(3):
        mean_loss = loss[torch.from_numpy(panel.stratum == s)].mean()
        (gradient,) = torch.autograd.grad(mean_loss, captured[0], retain_graph=True)
        yield gradient.sum((0, 1)).numpy()


@pytest.mark.parametrize("name", NORMS)
def test_gradients_equal_autograds(name):
    model, panel = random_model(name), random_panel()
    found = probe_model(model, panel, EXACT).residual_gradient
    for s, expected in enumerate(gradients(model, NORMS[name], panel)):
        np.testing.assert_allclose(found[s], expected, atol=1e-12)
