"""What attention heads do to final-layer neurons, when a head looks at the first position alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from transformers import PreTrainedModel
from transformers.activations import ACT2FN

from rare_neurons.families import family_of
from rare_neurons.models.readout import final_block_module

Args = tuple[torch.Tensor, ...]


@dataclass(frozen=True, eq=False)
class Places:
    """Some contexts, and the positions in them that are looked at.

    `token_ids` `[context, pos]`; `context`, `position` `[row]`, the first in the numbers of `token_ids`.
    """

    token_ids: torch.Tensor
    context: torch.Tensor
    position: torch.Tensor


def last_acting_layer(model: PreTrainedModel) -> int | None:
    """Last layer whose heads reach the final MLP's neurons: the last but one where attention and MLP are parallel.

    None in a parallel model of one layer: no head reaches them.
    """
    config = model.config.to_dict()
    layer = model.config.num_hidden_layers - (2 if family_of(config).parallel(config) else 1)
    return layer if layer >= 0 else None


def n_heads(model: PreTrainedModel) -> int:
    """Heads of a layer."""
    return int(getattr(model.config, family_of(model.config.to_dict()).n_heads_key))


@contextmanager
def heads_to_first_position(model: PreTrainedModel, layer: int, heads: Sequence[int]) -> Iterator[None]:
    """Let some heads of a layer attend to the first position alone while a forward pass runs.

    Such a head's output is its value there, and at the first position every head has no other: so its slice of what
    enters W_O is copied from there. Equal to an edited attention pattern, whatever computes the attention.
    """
    family = family_of(model.config.to_dict())
    count = n_heads(model)

    def copy_first(_module: torch.nn.Module, args: Args) -> Args:
        by_head = args[0].unflatten(-1, (count, -1)).clone()
        by_head[..., heads, :] = by_head[:, :1, heads]
        return (by_head.flatten(-2), *args[1:])

    handle = model.get_submodule(family.block_module(layer, "W_O")).register_forward_pre_hook(copy_first)
    try:
        yield
    finally:
        handle.remove()


def final_activations(model: PreTrainedModel, places: Places, *, batch_size: int) -> torch.Tensor:
    """Final-layer activations at some places `[row, neuron]`, by a forward pass with whatever hooks are set."""
    family = family_of(model.config.to_dict())
    return _keep(model, places, {"a": family.block_module(model.config.num_hidden_layers - 1, "W_out")}, batch_size)[
        "a"
    ]


@dataclass(frozen=True, eq=False)
class FinalMlp:
    """The final MLP and what the last acting attention writes before it, at some places.

    `x` `[row, d_model]`: what the MLP's norm reads; `z`, `z_first` `[row, head * head_dim]`: what enters W_O there and
    at the context's first position.
    """

    model: PreTrainedModel
    layer: int
    x: torch.Tensor
    z: torch.Tensor
    z_first: torch.Tensor

    def activations(self, heads: Sequence[int] = ()) -> torch.Tensor:
        """Activations `[row, neuron]` when some heads look at the first position alone; no forward pass.

        The residual the MLP reads changes by `W_O[:, h] (z_h(0) − z_h(t))` and by nothing else.
        """
        by_head = self.z.unflatten(-1, (n_heads(self.model), -1)).clone()
        by_head[:, heads] = self.z_first.unflatten(-1, by_head.shape[1:])[:, heads]
        family = family_of(self.model.config.to_dict())
        W_O = self.model.get_submodule(family.block_module(self.layer, "W_O"))
        with torch.inference_mode():
            return self._mlp(self.x + W_O(by_head.flatten(-2)) - W_O(self.z))

    def _mlp(self, x: torch.Tensor) -> torch.Tensor:
        config = self.model.config
        family, last = family_of(config.to_dict()), config.num_hidden_layers - 1
        act = ACT2FN[getattr(config, family.activation_key)]
        normed = self.model.get_submodule(f"{final_block_module(self.model, family)}.{family.mlp_norm}")(x)
        W_in = self.model.get_submodule(family.block_module(last, "W_in"))
        if "W_gate" not in family.layer:
            return act(W_in(normed))
        return act(self.model.get_submodule(family.block_module(last, "W_gate"))(normed)) * W_in(normed)


@contextmanager
def keeping_final_mlp(model: PreTrainedModel, places: Places) -> Iterator[Callable[[], FinalMlp | None]]:
    """Keep what the closed form needs while a forward pass over all contexts of the places runs, whatever it is for.

    Yields what to call for it after the pass. None where the block allows no closed form: where a sublayer's output is
    normalised before it joins the residual, and where no head reaches the MLP.
    """
    family = family_of(model.config.to_dict())
    layer = last_acting_layer(model)
    if family.mlp_norm is None or layer is None:
        yield lambda: None
        return
    norm = f"{final_block_module(model, family)}.{family.mlp_norm}"
    with _keeping(model, places, {"x": norm, "z": family.block_module(layer, "W_O")}) as kept:

        def found() -> FinalMlp:
            inputs = kept()
            return FinalMlp(model, layer, inputs["x"], inputs["z"], inputs["z_first"])

        yield found


def _keep(model: PreTrainedModel, places: Places, inputs: dict[str, str], batch_size: int) -> dict[str, torch.Tensor]:
    with _keeping(model, places, inputs) as kept, torch.inference_mode():
        for start in range(0, len(places.token_ids), batch_size):
            ids = places.token_ids[start : start + batch_size]
            model.base_model(input_ids=ids.to(model.device), use_cache=False)
    return kept()


@contextmanager
def _keeping(
    model: PreTrainedModel, places: Places, inputs: dict[str, str]
) -> Iterator[Callable[[], dict[str, torch.Tensor]]]:
    """Keep inputs of some modules at some places, and at their contexts' first positions, in host memory."""
    order = torch.argsort(places.context, stable=True)
    context, length = places.context[order], places.token_ids.shape[1]
    seen: dict[str, torch.Tensor] = {}
    parts: dict[str, list[torch.Tensor]] = {}
    handles, done = [], 0

    def keep(name: str, _module: torch.nn.Module, args: Args) -> None:
        seen[name] = args[0].detach()

    def sort_out(_module: torch.nn.Module, _args: Args, _output: object) -> None:
        nonlocal done
        by_name = {name: value.reshape(-1, length, value.shape[-1]) for name, value in seen.items()}
        start, done = done, done + len(next(iter(by_name.values())))
        rows = order[(context >= start) & (context < done)]
        at = places.context[rows] - start
        for name, values in by_name.items():
            parts.setdefault(name, []).append(values[at, places.position[rows]].cpu())
            parts.setdefault(f"{name}_first", []).append(values[at, 0].cpu())

    def found() -> dict[str, torch.Tensor]:
        back = torch.argsort(order)
        return {name: torch.cat(values)[back] for name, values in parts.items()}

    try:
        for name, path in inputs.items():
            handles.append(model.get_submodule(path).register_forward_pre_hook(partial(keep, name)))
        handles.append(model.base_model.register_forward_hook(sort_out))
        yield found
    finally:
        for handle in handles:
            handle.remove()
