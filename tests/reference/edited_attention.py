"""A head's attention pattern edited by its plain definition: eager attention whose weights are replaced."""

import importlib

import torch
from transformers import PreTrainedModel


def with_pattern_to_first_position(model: PreTrainedModel, layer: int, heads: list[int], run):
    """Return `run()` while the softmax of some heads of a layer is 1 at the first position and 0 elsewhere.

    The model's attention must be eager: the only softmax of a forward pass is then that of the scores, one a layer.
    """
    module = importlib.import_module(type(model).__module__)
    assert model.config._attn_implementation == "eager"
    original, calls = torch.nn.functional.softmax, [0]

    def softmax(scores, dim=-1, dtype=None):
        # Asked for in float32 by most families, which in float64 would be the only rounding.
        weights = original(scores, dim=dim)
        if calls[0] % model.config.num_hidden_layers == layer:
            weights = weights.clone()
            weights[:, heads] = 0
            weights[:, heads, :, 0] = 1
        calls[0] += 1
        return weights

    assert hasattr(module, "eager_attention_forward")
    torch.nn.functional.softmax = softmax
    try:
        found = run()
    finally:
        torch.nn.functional.softmax = original
    assert calls[0] >= model.config.num_hidden_layers
    return found
