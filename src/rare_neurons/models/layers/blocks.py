"""The blocks of a model as functions: what a pass leaves in each, and the pass from any block on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from transformers import PreTrainedModel

from rare_neurons.errors import RequestError
from rare_neurons.families import family_of


@dataclass
class Trace:
    """What one forward pass leaves behind, by layer.

    `inputs` `[context, pos, d_model]` enter the blocks and `final` leaves the last; `arguments` are the other arguments
    of each block's call (positions, masks); `activations` `[context, pos, neuron]` enter `W_out`, and `mlp_outputs`
    `[context, pos, d_model]` leave it.
    """

    inputs: list[torch.Tensor] = field(default_factory=list)
    arguments: list[tuple[tuple[object, ...], dict[str, object]]] = field(default_factory=list)
    activations: list[torch.Tensor] = field(default_factory=list)
    mlp_outputs: list[torch.Tensor] = field(default_factory=list)
    final: torch.Tensor | None = None


class Blocks:
    """Where a model's blocks are, and how to run them.

    Attributes
    ----------
    blocks, w_out, w_o : list of Module
        Each block, and the modules in it that hold `W_out` and `W_O`.
    readers : list of list of Module
        The modules of each block that hold `W_in` and, in gated MLPs, `W_gate`; from their outputs to `W_out` every
        neuron is by itself.
    post_norms : list of Module, or None
        The norms over the MLPs' outputs, where the family has them.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        config = model.config.to_dict()
        self.model, self.family = model, family_of(config)
        if any(parameter.is_meta for parameter in model.parameters()):
            raise RequestError(
                "some weights are kept outside the device, and passes from the middle of a model need them there; "
                "use a device that holds the whole model, without probe.placement"
            )
        layers = range(int(config[self.family.n_layers_key]))
        self.blocks = [model.get_submodule(self.family.module(f"{self.family.blocks}.{k}")) for k in layers]
        self.w_out, self.w_o = ([self._module(k, matrix) for k in layers] for matrix in ("W_out", "W_O"))
        readers = [matrix for matrix in ("W_in", "W_gate") if matrix in self.family.layer]
        self.readers = [[self._module(k, matrix) for matrix in readers] for k in layers]
        name = self.family.post_norm
        self.post_norms = None if name is None else [block.get_submodule(name) for block in self.blocks]

    def _module(self, layer: int, matrix: str) -> torch.nn.Module:
        return self.model.get_submodule(self.family.block_module(layer, matrix))

    def __len__(self) -> int:
        """Count the layers."""
        return len(self.blocks)

    @property
    def n_neurons(self) -> int:
        """Neurons of a layer."""
        return self.directions(0).shape[0]

    def directions(self, layer: int) -> torch.Tensor:
        """`W_out` `[neuron, d_model]` of a layer."""
        weight = self.w_out[layer].weight.detach()
        return weight.T if self.family.layer["W_out"].transpose else weight

    def run(self, token_ids: torch.Tensor) -> None:
        """Run all blocks; hooks take what is wanted of it."""
        self.model.base_model(input_ids=token_ids.to(self.model.device), use_cache=False)

    def trace(self, token_ids: torch.Tensor) -> Trace:
        """Run contexts `[context, pos]` without gradients, and keep what every block meets."""
        with torch.no_grad(), self._tracing(token_ids.shape) as trace:
            self.run(token_ids)
        return trace

    @contextmanager
    def _tracing(self, shape: torch.Size) -> Iterator[Trace]:
        """Fill a trace while hooks are on; they are gone afterwards."""
        trace, handles = Trace(), []

        def keep_input(_module: torch.nn.Module, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
            rest = dict(kwargs)
            trace.inputs.append(args[0] if args else rest.pop("hidden_states"))
            trace.arguments.append((args[1:], rest))

        def keep_mlp(_module: torch.nn.Module, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            trace.activations.append(args[0].reshape(*shape, -1))
            trace.mlp_outputs.append(output.reshape(*shape, -1))

        def keep_final(_module: torch.nn.Module, _args: tuple[object, ...], output: object) -> None:
            trace.final = output[0] if isinstance(output, tuple) else output

        try:
            handles += [block.register_forward_pre_hook(keep_input, with_kwargs=True) for block in self.blocks]
            handles += [module.register_forward_hook(keep_mlp) for module in self.w_out]
            handles.append(self.blocks[-1].register_forward_hook(keep_final))
            yield trace
        finally:
            for handle in handles:
                handle.remove()

    def output(self, trace: Trace, layer: int) -> torch.Tensor:
        """Residual stream `[context, pos, d_model]` after a block of the traced pass."""
        return trace.final if layer == len(self) - 1 else trace.inputs[layer + 1]

    def after_mlp_change(self, trace: Trace, layer: int, change: torch.Tensor) -> torch.Tensor:
        """Residual stream after a block whose MLP's output is changed `[copy, context, pos, d_model]`.

        What the MLP writes is the last thing that a block adds, unchanged or, in post-norm blocks, through that norm.
        """
        if self.post_norms is not None:
            norm, m = self.post_norms[layer], trace.mlp_outputs[layer]
            change = norm(m + change) - norm(m)
        return self.output(trace, layer) + change

    def run_from(self, layer: int, residual: torch.Tensor, trace: Trace) -> torch.Tensor:
        """Run the blocks from `layer` on for copies of the traced contexts.

        Parameters
        ----------
        residual : Tensor `[copy, context, pos, d_model]`
            What enters block `layer`.

        Returns
        -------
        Tensor `[copy, context, pos, d_model]`
            What leaves the last block.
        """
        n_copies, n_contexts = residual.shape[:2]
        x = residual.flatten(0, 1)
        for block, (args, kwargs) in zip(self.blocks[layer:], trace.arguments[layer:], strict=True):
            rest = [_copied(value, n_copies, n_contexts) for value in args]
            named = {name: _copied(value, n_copies, n_contexts) for name, value in kwargs.items()}
            x = block(x, *rest, **named)
            x = x[0] if isinstance(x, tuple) else x
        return x.unflatten(0, (n_copies, n_contexts))


def _copied(value: object, n_copies: int, n_contexts: int) -> object:
    """Repeat what a block is told about each context; what holds for all of them stays."""
    if isinstance(value, tuple):
        return tuple(_copied(part, n_copies, n_contexts) for part in value)
    if isinstance(value, torch.Tensor) and value.dim() > 1 and len(value) == n_contexts > 1:
        return value.repeat(n_copies, *[1] * (value.dim() - 1))
    return value


@contextmanager
def full_precision_products() -> Iterator[None]:
    """Let float32 products keep all their bits; as before afterwards."""
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("highest")
        yield
    finally:
        torch.set_float32_matmul_precision(before)
