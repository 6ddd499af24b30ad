"""Gradients of losses with respect to the neurons of all layers at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from rare_neurons.models.layers.blocks import Blocks


class TappedPass:
    """A forward pass with a graph from the neurons of every layer to the final residual stream.

    Attributes
    ----------
    activations : list of Tensor `[context, pos, neuron]`
        What enters `W_out`, layer by layer, the perturbation included.
    final : Tensor `[context, pos, d_model]`
        Final residual stream.
    """

    def __init__(self, activations: list[torch.Tensor], final: torch.Tensor) -> None:
        self.activations, self.final = activations, final

    def contract(
        self,
        output: torch.Tensor,
        deltas: Sequence[torch.Tensor],
        *,
        upstream: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Σ over positions of δ times the gradient of a loss: `[context, layer, neuron]`.

        A gradient is that along all paths: through the same layer's output and through every later layer.

        Parameters
        ----------
        output : Tensor
            The loss, or what it depends on.
        deltas : sequence of Tensor `[context, pos, neuron]`
            Of the first layers, or of all.
        upstream : Tensor, optional
            Gradient of the loss with respect to `output`, of its shape.
        """
        gradients = torch.autograd.grad(output, self.activations[: len(deltas)], upstream, retain_graph=True)
        pairs = zip(gradients, deltas, strict=True)
        return torch.stack([(g.reshape(delta.shape) * delta).sum(1) for g, delta in pairs], 1)


@contextmanager
def frozen(model: torch.nn.Module) -> Iterator[None]:
    """No gradients for weights: the graph then begins at the first layer's neurons and keeps less."""
    asked = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in asked:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in asked:
            parameter.requires_grad_(True)


def run_tapped(blocks: Blocks, token_ids: torch.Tensor, *, shifts: Sequence[torch.Tensor] = ()) -> TappedPass:
    """Run contexts `[context, pos]` and keep the graph; the model is left as it was.

    Parameters
    ----------
    shifts : sequence of Tensor `[context, pos, neuron]`, optional
        What is added to the neurons of the first layers.
    """
    found: dict[int, torch.Tensor] = {}
    seen: list[torch.Tensor] = []
    shape, handles = token_ids.shape, []

    def tap(layer: int) -> object:
        def hook(_module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            x = args[0] if layer >= len(shifts) else args[0] + shifts[layer].reshape(args[0].shape)
            found[layer] = x if x.requires_grad else x.detach().requires_grad_()
            return (found[layer], *args[1:])

        return hook

    def keep_final(_module: torch.nn.Module, _args: tuple[object, ...], output: object) -> None:
        seen.append(output[0] if isinstance(output, tuple) else output)

    try:
        handles += [module.register_forward_pre_hook(tap(layer)) for layer, module in enumerate(blocks.w_out)]
        handles.append(blocks.blocks[-1].register_forward_hook(keep_final))
        with torch.enable_grad(), frozen(blocks.model):
            blocks.run(token_ids)
    finally:
        for handle in handles:
            handle.remove()
    return TappedPass([found[layer] for layer in range(len(blocks))], seen[0].reshape(*shape, -1))


def activation_sums(blocks: Blocks, token_ids: torch.Tensor, *, natural: slice) -> torch.Tensor:
    """Sum every neuron's activation `[layer, neuron]` over eligible natural positions, contexts in float64."""
    sums: list[torch.Tensor] = []

    def add(_module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        sums.append(args[0].reshape(*token_ids.shape, -1)[:, natural].sum(1).sum(0, dtype=torch.float64))

    handles = [module.register_forward_pre_hook(add) for module in blocks.w_out]
    try:
        with torch.no_grad():
            blocks.run(token_ids)
    finally:
        for handle in handles:
            handle.remove()
    return torch.stack(sums)
