"""Products from what enters and leaves each module, against gradients of all weights by autograd."""

import numpy as np
import pytest
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.allocation.products import TappedModel
from rare_neurons.models.allocation.units import Units
from rare_neurons.models.layers.losses import LossReadout
from tests.models.allocation.dense import gradients, panel_loss, random_update
from tests.models.tiny import NAMES, random_model, random_panel


def contracted(model, panel, update, part):
    """Products of the rare stratum's loss by unit and context `[context, unit]`."""
    readout = LossReadout(model, panel.vocab_stratum, n_strata=3)
    tapped = TappedModel(model, Units(model, readout.class_of_id.numpy()), update, readout.class_of_id)
    mine = panel.stratum == 2
    passed = tapped.run(torch.from_numpy(panel.token_ids))
    read = passed.read(torch.from_numpy(panel.context[mine]), torch.from_numpy(panel.position[mine]))
    found = readout.losses_of_logits(read.logits, torch.from_numpy(panel.target_id[mine]))
    return passed.contract(getattr(found, part).sum(), read)


@pytest.mark.parametrize("part", ["whole", "within"])
@pytest.mark.parametrize("name", NAMES)
def test_every_tensors_products_are_counted_exactly_once(name, part):
    model, panel = random_model(name), random_panel()
    dense = gradients(model, lambda m: panel_loss(m, panel, "rare", part))
    update = random_update(model)
    total = contracted(model, panel, update, part).sum()
    torch.testing.assert_close(total, sum((dense[k] * update[k]).sum() for k in update), rtol=1e-9, atol=1e-12)
    # Tensor by tensor, so that none stands in for another.
    for tensor in update:
        alone = {k: v if k == tensor else torch.zeros_like(v) for k, v in update.items()}
        found = contracted(model, panel, alone, part).sum()
        torch.testing.assert_close(found, (dense[tensor] * update[tensor]).sum(), rtol=1e-9, atol=1e-12)


def test_products_of_a_context_are_those_of_its_targets():
    model, panel = random_model("opt"), random_panel()
    update = random_update(model)
    found = contracted(model, panel, update, "whole").sum(1)
    of_rare = panel.context[panel.stratum == 2]
    for context in (0, 3, 7):
        rows = np.flatnonzero(of_rare == context)
        dense = gradients(model, lambda m, rows=rows: panel_loss(m, panel, "rare", "whole", rows=rows))
        torch.testing.assert_close(found[context], sum((dense[k] * update[k]).sum() for k in update))


def test_the_model_is_left_as_it_was():
    model, panel = random_model("gpt2"), random_panel()
    model.transformer.wte.weight.requires_grad_(False)
    before = {name: (p.detach().clone(), p.requires_grad) for name, p in model.named_parameters()}
    contracted(model, panel, random_update(model), "whole")
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name][0])
        assert parameter.requires_grad == before[name][1]
        assert parameter.grad is None
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_tensor_that_no_unit_has_is_refused_by_name():
    model, panel = random_model("gpt2"), random_panel()
    readout = LossReadout(model, panel.vocab_stratum, n_strata=3)
    units = Units(model, readout.class_of_id.numpy())
    model.transformer.extra = torch.nn.Linear(3, 3)
    with pytest.raises(RequestError, match=r"2 tensors belong to no unit, first 'transformer\.extra\.weight'"):
        TappedModel(model, units, random_update(model), readout.class_of_id)
