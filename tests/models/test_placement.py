"""Weights that do not fit one device go elsewhere, and the numbers stay."""

import gc

import pytest
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.loading import load_model
from rare_neurons.models.placement import Placement
from tests.models.tiny import EXACT, LAYOUTS, random_model, random_panel


@pytest.mark.parametrize("name", LAYOUTS)
def test_weights_offloaded_to_disk_give_the_same_influence(tmp_path, name):
    random_model(name, dtype=torch.float32).save_pretrained(tmp_path / "saved")
    expected = probe_model(load_model(tmp_path / "saved", dtype=torch.float32), random_panel(), EXACT)
    model = load_model(tmp_path / "saved", dtype=torch.float32)
    final = sum(p.nbytes for p in model.parameters())
    placement = Placement({"cpu": (final - 1) / 1e9}, str(tmp_path / "offload"))  # one block has to go
    model = load_model(tmp_path / "saved", dtype=torch.float32, placement=placement)
    assert any(parameter.is_meta for parameter in model.parameters())
    assert list((tmp_path / "offload").glob("*/*.dat"))
    found = probe_model(model, random_panel(), EXACT)
    assert (found.influence == expected.influence).all()
    del model
    gc.collect()
    assert list((tmp_path / "offload").iterdir()) == []


def test_a_placement_that_is_too_small_is_a_wrong_request(saved):
    with pytest.raises(
        RequestError, match=r"cpu has 0\.00 GB for weights, but embeddings, readout and final block take"
    ):
        load_model(saved, dtype=torch.float32, placement=Placement({"cpu": 1e-9}))
    size = sum(p.nbytes for p in load_model(saved, dtype=torch.float32).parameters())
    with pytest.raises(RequestError, match=r"raise it, or name probe\.placement\.offload_folder"):
        load_model(saved, dtype=torch.float32, placement=Placement({"cpu": (size - 1) / 1e9}))


def test_weights_that_fit_stay_on_the_device_in_the_dtype_asked_for(saved):
    large = Placement({"cpu": 1.0})
    model = load_model(saved, dtype=torch.float16, placement=large)
    assert not any(parameter.is_meta for parameter in model.parameters())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float16}
    plain = load_model(saved, dtype=torch.float16)
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in model.state_dict().items())
