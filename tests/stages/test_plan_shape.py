"""Sizes by a configuration file, a recipe, or bytes alone."""

import json

import pytest

from rare_neurons.checkpoints.manifest import Manifest, ManifestFile
from rare_neurons.stages.plan_shape import Shape, shape_of_files, shape_of_recipe

PYTHIA = {"70m": Shape(6, 512, 2048, 50304), "410m": Shape(24, 1024, 4096, 50304), "1.4b": Shape(24, 2048, 8192, 50304)}


def hub(size: int) -> list[Manifest]:
    return [Manifest("m", 0, "hub", "lab/m", files=(ManifestFile("model.safetensors", size, "a"),))]


def test_parameters_and_matrices_are_those_of_pythia():
    # Without norms and biases: 70,426,624 with them.
    assert PYTHIA["70m"].n_parameters == pytest.approx(70_426_624, rel=0.001)
    assert len(PYTHIA["70m"].matrices) == 6 * 6 + 2


@pytest.mark.parametrize("size", PYTHIA)
def test_bytes_in_half_precision_and_the_number_of_neurons_give_the_layers(size):
    shape = PYTHIA[size]
    assert shape_of_files(hub(2 * shape.n_parameters), shape.n_neurons, None) == shape


@pytest.mark.parametrize("size", PYTHIA)
def test_bytes_alone_give_a_model_of_as_many_parameters(size):
    shape = PYTHIA[size]
    found = shape_of_files(hub(2 * shape.n_parameters), None, 50304)
    assert found.n_parameters == pytest.approx(shape.n_parameters, rel=0.15)
    assert found.width == pytest.approx(shape.width, rel=0.6)


def test_a_local_checkpoint_tells_by_its_config_and_a_bad_one_is_passed_over(tmp_path):
    config = {"model_type": "gpt2", "n_embd": 24, "n_layer": 3, "n_head": 2, "vocab_size": 300, "n_positions": 64}
    for step, text in ((0, "{"), (1, json.dumps(config))):
        (tmp_path / f"{step}").mkdir()
        (tmp_path / f"{step}/config.json").write_text(text)
    found = [Manifest("m", step, "folder", str(tmp_path / f"{step}")) for step in (0, 1)]
    assert shape_of_files(found, None, None) == Shape(3, 24, 96, 300)
    missing = [Manifest("m", 0, "hub", "lab/m", status="missing", reason="no revision")]
    assert shape_of_files(missing, 2048, None) is None


def test_a_recipe_says_all():
    assert shape_of_recipe({"n_layers": 2, "hidden_size": 64, "mlp_size": 256}, 2048) == Shape(2, 64, 256, 2048)
