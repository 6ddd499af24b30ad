"""With slopes held, gradients are those of the model itself."""

import pytest
import torch

from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.slopes import shared_slopes
from tests.models.tiny import NAMES, VOCAB, random_model


def _gradients(model, token_ids):
    """Of two losses by the first block's input and by a weight before the neurons: as they come and again."""
    inputs = model.get_input_embeddings()(token_ids).detach().requires_grad_()
    weights = [p for name, p in model.named_parameters() if "norm" not in name and p.dim() == 2][2:4]
    logits = model(inputs_embeds=inputs).logits
    losses = (logits.square().mean(), logits[:, -1].logsumexp(-1).sum())
    return [one for loss in losses for one in torch.autograd.grad(loss, [inputs, *weights], retain_graph=True)]


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_the_model(name):
    model, token_ids = random_model(name), torch.arange(14).reshape(2, 7) % VOCAB
    expected = _gradients(model, token_ids)
    with shared_slopes(Blocks(model)):
        found = _gradients(model, token_ids)
    for one, other in zip(found, expected, strict=True):
        assert float(other.abs().max()) > 0
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12 * float(other.abs().max()))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_pass_without_a_graph_is_as_it_was():
    model, token_ids = random_model("llama"), torch.arange(7)[None]
    with torch.no_grad():
        expected = model(input_ids=token_ids).logits
        with shared_slopes(Blocks(model)):
            torch.testing.assert_close(model(input_ids=token_ids).logits, expected, rtol=0, atol=0)
