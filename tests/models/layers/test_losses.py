"""Losses through the model's own readout, against cross-entropies of the library's logits."""

import numpy as np
import pytest
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.layers.losses import LossReadout, require_full_precision
from tests.models.tiny import NAMES, VOCAB, random_model, random_panel


def residual_of(model, panel):
    """Input of the final norm at the targets, and the library's own logits there."""
    token_ids = torch.from_numpy(panel.token_ids)
    seen = {}
    last = [m for m in model.modules() if type(m).__name__.endswith(("Block", "Layer"))][-1]
    handle = last.register_forward_hook(lambda _m, _a, output: seen.update(r=output))
    logits = model(token_ids).logits
    handle.remove()
    residual = seen["r"][0] if isinstance(seen["r"], tuple) else seen["r"]
    return residual[panel.context, panel.position], logits[panel.context, panel.position]


@pytest.mark.parametrize("name", NAMES)
def test_losses_are_cross_entropies_over_all_ids_and_over_those_of_the_stratum(name):
    model, panel = random_model(name), random_panel()
    residual, logits = residual_of(model, panel)
    found = LossReadout(model, panel.vocab_stratum, n_strata=3).losses(residual, torch.from_numpy(panel.target_id))
    for k, (v, s) in enumerate(zip(panel.target_id, panel.stratum, strict=True)):
        p = torch.softmax(logits[k], 0)
        mine = torch.from_numpy(np.flatnonzero(panel.vocab_stratum == s))
        torch.testing.assert_close(found.whole[k], -p[v].log())
        torch.testing.assert_close(found.within[k], -(p[v] / p[mine].sum()).log())


def test_gradients_reach_residual_and_weights():
    model, panel = random_model("gpt2"), random_panel()
    residual = residual_of(model, panel)[0].detach().requires_grad_(True)
    found = LossReadout(model, panel.vocab_stratum, n_strata=3).losses(residual, torch.from_numpy(panel.target_id))
    of_residual, of_head = torch.autograd.grad(found.within.sum(), [residual, model.get_output_embeddings().weight])
    # The within loss knows the ids of the target's stratum alone.
    assert (of_residual.norm(dim=1) > 0).all()
    assert (of_head[VOCAB - 4 :] == 0).all()
    step = 1e-6 * torch.ones_like(residual)
    readout = LossReadout(model, panel.vocab_stratum, n_strata=3)
    after, before = (
        readout.losses(residual.detach() + sign * step, torch.from_numpy(panel.target_id)).within for sign in (1, -1)
    )
    torch.testing.assert_close((after - before) / 2e-6, of_residual.sum(1), rtol=1e-6, atol=1e-7)


def test_no_targets_are_no_losses():
    model, panel = random_model("gpt2"), random_panel()
    readout = LossReadout(model, panel.vocab_stratum, n_strata=3)
    found = readout.losses(torch.zeros(0, 12, dtype=torch.float64), torch.zeros(0, dtype=torch.long))
    assert found.whole.shape == found.within.shape == (0,)


def test_half_precision_is_refused_with_the_reason():
    model = random_model("gpt2", dtype=torch.float32)
    require_full_precision(model, "allocation")
    with pytest.raises(RequestError, match=r"allocation cannot be measured in bfloat16: .* use dtype float32"):
        require_full_precision(model.to(torch.bfloat16), "allocation")
