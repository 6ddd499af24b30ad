"""What passes through every layer of a network during a forward pass, handed on layer by layer and not kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from transformers import PreTrainedModel

from rare_neurons.families import family_of

Args = tuple[torch.Tensor, ...]
Visit = Callable[[int, torch.Tensor, torch.Tensor], None]
"""Called with a layer, the input of its nonlinearity and the activations after it, each `[token, neuron]`."""


@contextmanager
def tapped_mlps(model: PreTrainedModel, visit: Visit, layers: Sequence[int] | None = None) -> Iterator[None]:
    """Hand what each MLP does to `visit` while a forward pass runs; hooks are gone afterwards.

    Of a gated MLP the pre-activation is the gate's. Nothing of a layer is held beyond its own turn.

    Parameters
    ----------
    layers : sequence of int, optional
        All where none are named.
    """
    family = family_of(model.config.to_dict())
    first = "W_gate" if "W_gate" in family.layer else "W_in"
    held: dict[int, torch.Tensor] = {}

    def keep(layer: int, _module: torch.nn.Module, _args: Args, output: torch.Tensor) -> None:
        held[layer] = output.detach().flatten(0, -2)

    def hand_on(layer: int, _module: torch.nn.Module, args: Args) -> None:
        visit(layer, held.pop(layer), args[0].detach().flatten(0, -2))

    handles = []
    try:
        for layer in range(model.config.num_hidden_layers) if layers is None else layers:
            entry, w_out = (model.get_submodule(family.block_module(layer, name)) for name in (first, "W_out"))
            handles.append(entry.register_forward_hook(partial(keep, layer)))
            handles.append(w_out.register_forward_pre_hook(partial(hand_on, layer)))
        yield
    finally:
        for handle in handles:
            handle.remove()
