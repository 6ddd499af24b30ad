"""Names and layouts: every promised matrix is found and cut as the network uses it; refusals name what is missing."""

import numpy as np
import pytest
import torch

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.families import FAMILIES, family_of, weight_matrices
from tests.models.tiny import D_MODEL, N_NEURONS, VOCAB, random_model

ONE_OF_EACH = ("gpt_neox-parallel", "gpt2", "opt", "llama", "olmo2")


def on_disk(model) -> dict[str, np.ndarray]:
    names = {"lm_head.weight": "embed_out.weight"} if model.config.model_type == "gpt_neox" else {}
    return {names.get(k, k): v.numpy() for k, v in model.state_dict().items()}


def test_every_family_has_a_tiny_model_here():
    assert {random_model(name).config.model_type for name in ONE_OF_EACH} == set(FAMILIES)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_shapes_follow_the_vocabulary(name):
    model = random_model(name)
    tensors = on_disk(model)
    specs = weight_matrices(model.config.to_dict(), tensors)
    shapes = {(s.layer, s.matrix): s.select(tensors[s.tensor]).shape for s in specs}
    kv = D_MODEL // 2 if name == "llama" else D_MODEL
    assert shapes[None, "W_E"] == (VOCAB, D_MODEL)
    assert ((None, "W_U") in shapes) == (name not in ("gpt2", "opt"))
    for layer in range(2):
        assert shapes[layer, "W_in"] == shapes[layer, "W_out"] == (N_NEURONS, D_MODEL)
        assert shapes[layer, "W_Q"] == shapes[layer, "W_O"] == (D_MODEL, D_MODEL)
        assert shapes[layer, "W_K"] == shapes[layer, "W_V"] == (kv, D_MODEL)
        assert ((layer, "W_gate") in shapes) == (name in ("llama", "olmo2"))


def test_fused_gpt_neox_is_interleaved_by_head():
    model = random_model("gpt_neox-parallel")
    attention = model.gpt_neox.layers[0].attention
    x = torch.randn(5, D_MODEL, dtype=torch.float64)
    fused = (x @ attention.query_key_value.weight.T).view(5, 2, 3 * D_MODEL // 2)
    spec = {(s.layer, s.matrix): s for s in weight_matrices(model.config.to_dict(), on_disk(model))}
    for part, matrix in enumerate(("W_Q", "W_K", "W_V")):
        cut = spec[0, matrix].select(attention.query_key_value.weight)
        expected = fused.chunk(3, dim=-1)[part].reshape(5, D_MODEL)
        torch.testing.assert_close(x @ cut.T, expected)


def test_fused_gpt2_is_split_by_column():
    model = random_model("gpt2")
    weight = model.transformer.h[0].attn.c_attn.weight
    spec = {(s.layer, s.matrix): s for s in weight_matrices(model.config.to_dict(), on_disk(model))}
    torch.testing.assert_close(spec[0, "W_K"].select(weight).T, weight[:, D_MODEL : 2 * D_MODEL])


def test_names_without_a_prefix_are_found():
    model = random_model("gpt2")
    names = [name.removeprefix("transformer.") for name in on_disk(model)]
    assert weight_matrices(model.config.to_dict(), names)[0].tensor == "wte.weight"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "mamba"}, "unknown family 'mamba'; known: gpt_neox, gpt2, opt, llama, olmo2. Add it in"),
        ({"model_type": "gemma2", "final_logit_softcapping": 30.0}, "logit soft-cap"),
        ({"model_type": "cohere", "logit_scale": 0.0625}, "logit scale"),
        ({"model_type": "mixtral", "num_local_experts": 8}, "mixture of experts"),
        ({"model_type": "opt", "do_layer_norm_before": False}, "post-LN"),
        ({"model_type": "opt", "hidden_size": 1024, "word_embed_proj_dim": 512}, "projects out of the residual"),
    ],
)
def test_refusals_say_why(config, message):
    with pytest.raises(RequestError, match=message):
        family_of(config)


def test_a_missing_matrix_is_a_data_fault():
    model = random_model("llama")
    names = [n for n in on_disk(model) if "layers.1.mlp.down_proj" not in n]
    with pytest.raises(DataFault, match=r"1 tensors missing .* 'model.layers.1.mlp.down_proj.weight'"):
        weight_matrices(model.config.to_dict(), names)


def test_block_kinds():
    kinds = {n: FAMILIES[n.split("-")[0]].block_kind(random_model(n).config.to_dict()) for n in ONE_OF_EACH}
    assert kinds == {
        "gpt_neox-parallel": "parallel",
        "gpt2": "sequential",
        "opt": "sequential",
        "llama": "sequential",
        "olmo2": "post_norm",
    }
    assert FAMILIES["gpt_neox"].block_kind({"use_parallel_residual": False}) == "sequential"
