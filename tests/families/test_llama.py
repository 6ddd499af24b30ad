"""Llama's names."""

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
