"""GPT-2's fused projection is split by column, and its names may lack their prefix."""

import torch

from rare_neurons.families import weight_matrices
from tests.families.tiny import on_disk
from tests.models.tiny import D_MODEL, random_model


def test_fused_gpt2_is_split_by_column():
    model = random_model("gpt2")
    weight = model.transformer.h[0].attn.c_attn.weight
    spec = {(s.layer, s.matrix): s for s in weight_matrices(model.config.to_dict(), on_disk(model))}
    torch.testing.assert_close(spec[0, "W_K"].select(weight).T, weight[:, D_MODEL : 2 * D_MODEL])


def test_names_without_a_prefix_are_found():
    model = random_model("gpt2")
    names = [name.removeprefix("transformer.") for name in on_disk(model)]
    assert weight_matrices(model.config.to_dict(), names)[0].tensor == "wte.weight"
