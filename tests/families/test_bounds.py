"""Configurations that nothing is built from: each refused with the key, its value and what is allowed."""

import pytest

from rare_neurons.errors import DataFault
from rare_neurons.families import FAMILIES, checked_matrices, family_of
from rare_neurons.families.bounds import check_config, expected_shapes
from tests.families.tiny import ONE_OF_EACH, on_disk
from tests.models.tiny import random_model

NEOX = {
    "model_type": "gpt_neox",
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "hidden_size": 12,
    "intermediate_size": 20,
    "vocab_size": 61,
}
LLAMA = {**NEOX, "model_type": "llama", "num_attention_heads": 4}


def shapes_of(model):
    return {name: array.shape for name, array in on_disk(model).items()}


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_shapes_by_the_configuration_are_those_of_the_library(name):
    model = random_model(name)
    specs = checked_matrices(model.config.to_dict(), shapes_of(model))
    expected = expected_shapes(family_of(model.config.to_dict()), model.config.to_dict())
    found = {spec.matrix: spec.select(on_disk(model)[spec.tensor]).shape for spec in specs}
    assert found == {matrix: expected[matrix] for matrix in found}


def test_heads_of_another_width_than_the_residual_stream_divides_into():
    shapes = expected_shapes(FAMILIES["llama"], {**LLAMA, "head_dim": 5, "num_key_value_heads": 2})
    assert (shapes["W_Q"], shapes["W_K"], shapes["W_O"]) == ((20, 12), (10, 12), (12, 20))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(
            ({"num_attention_heads": n}, f"num_attention_heads={n!r}, allowed are whole")
            for n in (0, -1, 2.0, True, "2")
        ),
        *(({"hidden_size": n}, "hidden_size=") for n in (0, 10**9, None, [12], 1e9)),
        *(({"num_hidden_layers": n}, "num_hidden_layers=") for n in (0, -3, 200_000, {})),
        *(({"vocab_size": n}, "vocab_size=") for n in (None, 0, 10**9)),
        ({"intermediate_size": 10**9}, "intermediate_size=1000000000, allowed are whole numbers from 1 to 1048576"),
        ({"max_position_embeddings": -5}, "max_position_embeddings=-5"),
        ({"num_attention_heads": 5}, "hidden_size=12 is no multiple of num_attention_heads=5"),
        ({"num_key_value_heads": 3}, "num_attention_heads=2 is no multiple of num_key_value_heads=3"),
        ({"num_key_value_heads": 0}, "num_key_value_heads=0"),
        ({"head_dim": 10**6}, "head_dim=1000000"),
        ({"rotary_pct": 1e12}, r"rotary_pct=1000000000000\.0, allowed are numbers above 0 and up to 1"),
        ({"rotary_pct": "1"}, "rotary_pct='1'"),
        ({"rope_scaling": [1]}, r"rope_scaling=\[1\], allowed is an object"),
        ({"rope_parameters": {"partial_rotary_factor": 10**9}}, r"rope_parameters\.partial_rotary_factor=1000000000"),
        ({"rope_parameters": {"short_factor": [1.0] * 10**4}}, r"rope_parameters\.short_factor=\[1\.0, .*4096 numbers"),
        ({"rope_parameters": {"full": {"rope_theta": 1}}}, r"rope_parameters\.full=\{.*allowed are numbers and names"),
    ],
)
def test_what_no_model_has_is_refused(change, message):
    with pytest.raises(DataFault, match=rf"config\.json of a gpt_neox checkpoint: {message}"):
        check_config(FAMILIES["gpt_neox"], {**NEOX, **change})


def test_a_matrix_of_another_shape_is_named_with_both():
    model = random_model("llama")
    shapes = shapes_of(model) | {"model.layers.1.mlp.down_proj.weight": (3, 4)}
    with pytest.raises(
        DataFault,
        match=r"1 tensors mismatched .* 'model\.layers\.1\.mlp\.down_proj\.weight': \(3, 4\), by its .*\(12, 20\)",
    ):
        checked_matrices(model.config.to_dict(), shapes)


@pytest.mark.parametrize("model_type", [None, 3, ["gpt2"], {"a": 1}])
def test_a_configuration_without_a_family(model_type):
    with pytest.raises(DataFault, match=r"config\.json names no family: model_type="):
        family_of({"model_type": model_type})
