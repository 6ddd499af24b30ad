"""Pythia's fused projection is interleaved head by head."""

import torch

from rare_neurons.families import weight_matrices
from tests.families.tiny import on_disk
from tests.models.tiny import D_MODEL, random_model


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
