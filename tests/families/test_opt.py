"""OPT: matrices as the network uses them, the checkpoints without a final norm, and the refused variants."""

import pytest
import torch

from rare_neurons.errors import RequestError
from rare_neurons.families import family_of, weight_matrices
from rare_neurons.families.opt import OPT
from tests.families.tiny import on_disk
from tests.models.tiny import random_model


def test_separate_projections_are_cut_as_the_network_uses_them():
    model = random_model("opt")
    tensors = on_disk(model)
    cut = {(s.layer, s.matrix): s.select(tensors[s.tensor]) for s in weight_matrices(model.config.to_dict(), tensors)}
    layer = model.model.decoder.layers[1]
    for matrix, module in (("W_Q", "q_proj"), ("W_K", "k_proj"), ("W_V", "v_proj"), ("W_O", "out_proj")):
        assert torch.equal(torch.from_numpy(cut[1, matrix]), getattr(layer.self_attn, module).weight)
    assert torch.equal(torch.from_numpy(cut[1, "W_in"]), layer.fc1.weight)
    assert torch.equal(torch.from_numpy(cut[1, "W_out"].copy()), layer.fc2.weight.T)


def test_some_have_no_final_norm():
    kinds = [OPT.norm_kind(random_model(name).config.to_dict()) for name in ("opt", "opt-no-norm")]
    assert kinds == ["layer_norm", "none"]


@pytest.mark.parametrize(
    ("config", "message"),
    [({"do_layer_norm_before": False}, "post-LN"), ({"hidden_size": 8, "word_embed_proj_dim": 4}, "projects out")],
)
def test_variants_without_a_formula_are_refused(config, message):
    assert OPT.refusal({"hidden_size": 8, "word_embed_proj_dim": 8, "do_layer_norm_before": True}) is None
    with pytest.raises(RequestError, match=message):
        family_of({"model_type": "opt", **config})
