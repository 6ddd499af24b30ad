"""One forward pass keeps what the targets need and leaves the model as it was."""

import pytest
import torch

from rare_neurons.models.influence.probe import probe_model
from tests.models.tiny import EXACT, random_model, random_panel


def test_the_model_is_left_as_it_was():
    model, panel = random_model("llama"), random_panel()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    probe_model(model, panel, **EXACT)
    with pytest.raises(RuntimeError, match="stop"):
        probe_model(model, panel, **EXACT, progress=_stop)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def _stop(*_args):
    raise RuntimeError("stop")
