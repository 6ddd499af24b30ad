"""Gradients of losses with respect to the neurons of all layers at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch.utils.hooks import RemovableHandle

from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.slopes import shared_slopes

Places = tuple[torch.Tensor, torch.Tensor]
"""Contexts of a batch and positions in them."""


class TappedPass:
    """A forward pass with a graph from the neurons of every layer to the final residual stream.

    Attributes
    ----------
    activations : list of Tensor `[context, pos, neuron]`
        What enters `W_out`, layer by layer, the perturbation included. Where the pass was read at some places alone,
        the last layer's are those of the places `[place, neuron]`.
    final : Tensor `[context, pos, d_model]`
        Final residual stream.
    places : tuple of Tensor, or None
        Context and position of those places.
    """

    def __init__(self, activations: list[torch.Tensor], final: torch.Tensor, places: Places | None = None) -> None:
        self.activations, self.final, self.places = activations, final, places

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
        pairs = enumerate(zip(gradients, deltas, strict=True))
        return torch.stack([self._over_positions(layer, *pair) for layer, pair in pairs], 1)

    def _over_positions(self, layer: int, gradient: torch.Tensor, delta: torch.Tensor) -> torch.Tensor:
        # In place: the gradient is used nowhere else, and pages of fresh memory cost more than the product.
        if self.places is None or layer < len(self.activations) - 1:
            return gradient.reshape(delta.shape).mul_(delta).sum(1)
        products = gradient.mul_(delta[self.places])
        return products.new_zeros(len(delta), delta.shape[-1]).index_add_(0, self.places[0], products)


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


def run_tapped(
    blocks: Blocks,
    token_ids: torch.Tensor,
    *,
    shifts: Sequence[torch.Tensor] = (),
    places: Places | None = None,
) -> TappedPass:
    """Run contexts `[context, pos]` and keep the graph; the model is left as it was.

    Parameters
    ----------
    shifts : sequence of Tensor `[context, pos, neuron]`, optional
        What is added to the neurons of the first layers.
    places : tuple of Tensor `[place]`, optional
        Context and position, each place once, at which alone the final residual stream is read: the last block's MLP
        and the output of its attention are computed there alone, and what `final` holds elsewhere means nothing.
    """
    taps = _Taps(blocks, token_ids.shape, shifts, places)
    with torch.enable_grad(), frozen(blocks.model), shared_slopes(blocks), taps.hooked():
        blocks.run(token_ids)
    final = taps.final.reshape(*token_ids.shape, -1)
    return TappedPass([taps.found[layer] for layer in range(len(blocks))], final, taps.places)


class _Taps:
    """Hooks of a tapped pass, and what they find."""

    def __init__(
        self, blocks: Blocks, shape: torch.Size, shifts: Sequence[torch.Tensor], places: Places | None
    ) -> None:
        self.blocks, self.shape, self.shifts = blocks, shape, shifts
        device = blocks.w_out[-1].weight.device
        self.places = None if places is None else tuple(place.to(device) for place in places)
        self.found: dict[int, torch.Tensor] = {}
        self.final: torch.Tensor | None = None

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """Put the hooks on; they are gone afterwards."""
        handles: list[RemovableHandle] = []
        blocks, last = self.blocks, len(self.blocks) - 1
        try:
            if self.places is not None:
                handles += [module.register_forward_pre_hook(self._gather) for module in blocks.readers[last]]
                handles.append(blocks.w_o[last].register_forward_pre_hook(self._gather))
                handles += [one[last].register_forward_hook(self._scatter) for one in (blocks.w_o, blocks.w_out)]
            handles += [one.register_forward_pre_hook(self._tap(layer)) for layer, one in enumerate(blocks.w_out)]
            handles.append(blocks.blocks[last].register_forward_hook(self._keep_final))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _gather(self, _module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        x = args[0].reshape(*self.shape, -1)[self.places]
        return (x if args[0].dim() == 2 else x[None], *args[1:])

    def _scatter(self, _module: torch.nn.Module, _args: tuple[object, ...], output: torch.Tensor) -> torch.Tensor:
        whole = output.new_zeros(*self.shape, output.shape[-1])
        whole = whole.index_put(self.places, output.reshape(-1, output.shape[-1]))
        return whole.flatten(0, 1) if output.dim() == 2 else whole

    def _tap(self, layer: int) -> Callable[..., tuple[torch.Tensor, ...]]:
        def hook(_module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            x = args[0]
            if layer < len(self.shifts):
                x = x + self.shifts[layer].reshape(x.shape)
            x = x if x.requires_grad else x.detach().requires_grad_()
            read = self.places is not None and layer == len(self.blocks) - 1
            self.found[layer] = x.reshape(-1, x.shape[-1]) if read else x
            return (self.found[layer].reshape(x.shape), *args[1:])

        return hook

    def _keep_final(self, _module: torch.nn.Module, _args: tuple[object, ...], output: object) -> None:
        self.final = output[0] if isinstance(output, tuple) else output


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
