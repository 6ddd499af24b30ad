"""Joint ablation by its plain definition: one hooked forward pass in which all neurons of a set are replaced."""

import torch
from transformers import PreTrainedModel

from tests.reference.hooked_influence import final_w_out


def log_p_without(
    model: PreTrainedModel, token_ids: torch.Tensor, neurons: list[int], values: torch.Tensor
) -> torch.Tensor:
    """Log probabilities `[context, pos, vocab]`, the neurons' activations replaced by `values` `[..., neuron]`."""

    def replace(_module, args):
        activations = args[0].clone()
        new = values.expand(*token_ids.shape, values.shape[-1]).reshape(activations.shape)
        activations[..., neurons] = new[..., neurons]
        return (activations,)

    handle = final_w_out(model).register_forward_pre_hook(replace)
    try:
        with torch.no_grad():
            return torch.log_softmax(model(input_ids=token_ids).logits, -1)
    finally:
        handle.remove()
