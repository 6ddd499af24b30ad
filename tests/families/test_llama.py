"""Llama's names."""

import numpy as np
import pytest

from rare_neurons.errors import DataFault
from rare_neurons.families import weight_matrices
from tests.families.tiny import on_disk
from tests.models.tiny import random_model


def test_a_missing_matrix_is_a_data_fault():
    model = random_model("llama")
    names = [n for n in on_disk(model) if "layers.1.mlp.down_proj" not in n]
    with pytest.raises(DataFault, match=r"1 tensors missing .* 'model.layers.1.mlp.down_proj.weight'"):
        weight_matrices(model.config.to_dict(), names)


def test_fewer_key_and_value_heads_and_a_gate():
    model = random_model("llama")
    tensors = on_disk(model)
    cut = {(s.layer, s.matrix): s.select(tensors[s.tensor]) for s in weight_matrices(model.config.to_dict(), tensors)}
    layer = model.model.layers[0]
    np.testing.assert_array_equal(cut[0, "W_K"], layer.self_attn.k_proj.weight.detach().numpy())
    np.testing.assert_array_equal(cut[0, "W_gate"], layer.mlp.gate_proj.weight.detach().numpy())
    np.testing.assert_array_equal(cut[0, "W_out"], layer.mlp.down_proj.weight.detach().numpy().T)
