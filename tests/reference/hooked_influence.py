"""The plain definition: one hooked forward pass per neuron, nothing shared with the package but the family names."""

import torch
from transformers import PreTrainedModel

from rare_neurons.families import family_of


def final_w_out(model: PreTrainedModel) -> torch.nn.Module:
    family = family_of(model.config.to_dict())
    return model.get_submodule(family.block_module(model.config.num_hidden_layers - 1, "W_out"))


def mean_activation(model: PreTrainedModel, token_ids: torch.Tensor, min_position: int) -> torch.Tensor:
    """Mean of the final MLP's activations over eligible natural positions `[neuron]`."""
    seen = []
    handle = final_w_out(model).register_forward_pre_hook(lambda _module, args: seen.append(args[0].detach()))
    with torch.no_grad():
        model(input_ids=token_ids)
    handle.remove()
    activations = seen[0].reshape(*token_ids.shape, -1)
    return activations[:, min_position:-1].flatten(0, 1).mean(0)


def hooked_log_p(
    model: PreTrainedModel, token_ids: torch.Tensor, neuron: int | None, value: float | None
) -> torch.Tensor:
    """Log probabilities `[context, pos, vocab]` with one neuron's activation replaced by a value (None: none)."""

    def replace(_module, args):
        activations = args[0].clone()
        activations[..., neuron] = value
        return (activations,)

    handles = [] if neuron is None else [final_w_out(model).register_forward_pre_hook(replace)]
    with torch.no_grad():
        log_p = torch.log_softmax(model(input_ids=token_ids).logits, -1)
    for handle in handles:
        handle.remove()
    return log_p


def frozen_norm_log_p(model: PreTrainedModel, token_ids: torch.Tensor, neuron: int, value: float) -> torch.Tensor:
    """The same with the final norm's scale taken from the unablated pass."""
    family = family_of(model.config.to_dict())
    norm = model.get_submodule(family.module(family.final_norm))
    inputs = []
    handle = norm.register_forward_pre_hook(lambda _module, args: inputs.append(args[0].detach()))
    hooked_log_p(model, token_ids, None, None)
    hooked_log_p(model, token_ids, neuron, value)
    handle.remove()
    before, after = inputs
    centred = isinstance(norm, torch.nn.LayerNorm)
    eps = norm.eps if centred else norm.variance_epsilon
    if centred:
        before, after = before - before.mean(-1, keepdim=True), after - after.mean(-1, keepdim=True)
    normed = after / torch.sqrt(before.square().mean(-1, keepdim=True) + eps) * norm.weight
    if centred:
        normed = normed + norm.bias
    with torch.no_grad():
        return torch.log_softmax(model.get_output_embeddings()(normed), -1)
