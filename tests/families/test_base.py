"""What a family says of its blocks and names."""

import numpy as np
import pytest

from rare_neurons.families import FAMILIES
from rare_neurons.families.base import MatrixSpec
from rare_neurons.families.gpt2 import GPT2
from rare_neurons.families.gpt_neox import GPT_NEOX
from tests.families.tiny import ONE_OF_EACH
from tests.models.tiny import random_model


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


def test_names_on_disk_become_paths_in_memory():
    assert GPT2.in_memory("h.0.attn.c_attn.bias") == "transformer.h.0.attn.c_attn.bias"
    assert GPT2.in_memory("transformer.wte.weight") == "transformer.wte.weight"
    assert GPT_NEOX.in_memory("embed_out.weight") == "lm_head.weight"
    assert GPT_NEOX.on_disk("lm_head.weight") == GPT_NEOX.on_disk("embed_out.weight") == "embed_out.weight"
    assert GPT2.on_disk("h.0.ln_1.bias") == "transformer.h.0.ln_1.bias"
    assert GPT_NEOX.block_module(3, "W_out") == "gpt_neox.layers.3.mlp.dense_4h_to_h"


def test_buffers_of_old_versions_are_told_from_biases():
    assert GPT2.is_legacy_buffer("h.0.attn.bias")
    assert GPT2.is_legacy_buffer("attn.masked_bias")
    assert not GPT2.is_legacy_buffer("h.0.attn.c_attn.bias")


def test_whether_the_unembedding_is_the_embedding():
    assert (GPT2.tied({}), GPT_NEOX.tied({})) == (True, False)
    assert (GPT2.tied({"tie_word_embeddings": False}), GPT_NEOX.tied({"tie_word_embeddings": True})) == (False, True)


@pytest.mark.parametrize("interleaved", [False, True])
def test_a_fused_tensor_is_cut_row_by_row(interleaved):
    """Two heads of two rows each: rows are numbered head by head, or query, key, value in turn."""
    fused = np.arange(12)[:, None] * np.ones((1, 4), dtype=int)
    spec = MatrixSpec(0, "W_K", "x", part=1, interleaved=interleaved, n_heads=2)
    assert spec.select(fused)[:, 0].tolist() == ([2, 3, 8, 9] if interleaved else [4, 5, 6, 7])
    transposed = MatrixSpec(0, "W_K", "x", transpose=True, part=1, interleaved=interleaved, n_heads=2)
    np.testing.assert_array_equal(transposed.select(fused.T), spec.select(fused))
