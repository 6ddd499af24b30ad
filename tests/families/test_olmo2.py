"""OLMo-2: Llama's names, and a norm between the MLP and the residual stream."""

import torch

from rare_neurons.families.llama import LLAMA
from rare_neurons.families.olmo2 import OLMO2
from tests.models.tiny import random_model


def test_the_names_are_llamas_and_the_block_is_not():
    assert (OLMO2.layer, OLMO2.embedding, OLMO2.final_norm) == (LLAMA.layer, LLAMA.embedding, LLAMA.final_norm)
    assert (OLMO2.block_kind({}), LLAMA.block_kind({})) == ("post_norm", "sequential")


def test_the_blocks_output_is_normalised_by_the_module_that_is_named():
    model = random_model("olmo2")
    seen = {}
    block = model.get_submodule(OLMO2.module(f"{OLMO2.blocks}.1"))
    norm = block.get_submodule(OLMO2.post_norm)
    norm.register_forward_hook(lambda _module, args, out: seen.update(mlp=args[0], normed=out))
    block.mlp.register_forward_hook(lambda _module, _args, out: seen.update(raw=out))
    block.register_forward_hook(lambda _module, _args, out: seen.update(after=out))
    block.post_attention_layernorm.register_forward_hook(lambda _module, _args, out: seen.update(attention=out))
    block.register_forward_pre_hook(lambda _module, args: seen.update(before=args[0]))
    with torch.no_grad():
        model(input_ids=torch.arange(6)[None])
    assert torch.equal(seen["mlp"], seen["raw"])
    torch.testing.assert_close(seen["after"], seen["before"] + seen["attention"] + seen["normed"])
