"""Passes from any block on are the network's own, for every family."""

import pytest
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.layers.blocks import Blocks, full_precision_products
from rare_neurons.models.layers.losses import LossReadout
from tests.models.tiny import D_MODEL, N_NEURONS, NAMES, random_model, random_panel


@pytest.mark.parametrize("name", NAMES)
def test_the_later_blocks_alone_give_what_an_edited_network_gives(name):
    model, panel = random_model(name), random_panel(n_contexts=3, per_stratum=5)
    token_ids = torch.from_numpy(panel.token_ids)
    blocks = Blocks(model)
    trace = blocks.trace(token_ids)
    readout = LossReadout(model, panel.vocab_stratum, n_strata=3)
    assert blocks.n_neurons == N_NEURONS
    with torch.no_grad():
        torch.testing.assert_close(readout.logits(trace.final), model(input_ids=token_ids).logits, atol=1e-12, rtol=0)
        for layer in range(len(blocks)):
            delta = torch.randn(2, *trace.activations[layer].shape[:2], 1, dtype=torch.float64)
            change = delta * blocks.directions(layer)[[3, 8]][:, None, None]
            after = blocks.after_mlp_change(trace, layer, change)
            found = readout.logits(blocks.run_from(layer + 1, after, trace))
            for k, neuron in enumerate((3, 8)):
                torch.testing.assert_close(
                    found[k], _edited(model, blocks, layer, token_ids, neuron, delta[k]), atol=1e-11, rtol=0
                )


def _edited(model, blocks, layer, token_ids, neuron, delta):
    def edit(_module, args):
        x = args[0].clone()
        x[..., neuron] += delta[..., 0].reshape(x.shape[:-1])
        return (x,)

    handle = blocks.w_out[layer].register_forward_pre_hook(edit)
    logits = model(input_ids=token_ids).logits
    handle.remove()
    return logits


def test_no_hook_stays_even_after_an_error():
    model = random_model("gpt2")
    blocks = Blocks(model)
    with pytest.raises(IndexError):
        blocks.trace(torch.full((1, 5), 10**6))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_weights_elsewhere_are_refused():
    model = random_model("llama")
    model.lm_head.to("meta")
    with pytest.raises(RequestError, match=r"without probe\.placement"):
        Blocks(model)


def test_a_residual_has_the_width_of_the_model():
    trace = Blocks(random_model("opt")).trace(torch.zeros(2, 4, dtype=torch.int64))
    assert trace.final.shape == (2, 4, D_MODEL)
    assert [x.shape for x in trace.inputs] == [(2, 4, D_MODEL)] * 2


def test_products_have_all_their_bits_and_the_setting_comes_back():
    torch.set_float32_matmul_precision("high")
    try:
        with full_precision_products():
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
