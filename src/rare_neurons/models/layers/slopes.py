"""Slopes of activation functions, once for all losses of a pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.autograd.function import FunctionCtx
from torch.utils.hooks import RemovableHandle

from rare_neurons.models.layers.blocks import Blocks


@contextmanager
def shared_slopes(blocks: Blocks) -> Iterator[None]:
    """While on, passes with a graph hold each neuron's slope in place of its activation function.

    The derivative of an activation function costs as much as a quarter of a product with the weights beside it, and a
    graph computes it again for every loss. From what the MLP reads (`Blocks.readers`) to `W_out` each entry is a
    function of its own entries alone, so that one backward pass over ones gives all slopes; gates have two.
    """
    handles: list[RemovableHandle] = []
    try:
        for readers, w_out in zip(blocks.readers, blocks.w_out, strict=True):
            cuts = _Cuts()
            handles += [module.register_forward_hook(cuts.begin) for module in readers]
            handles.append(w_out.register_forward_pre_hook(cuts.join))
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Cuts:
    """Where the graph of one MLP is cut."""

    def __init__(self) -> None:
        self._ends: list[tuple[torch.Tensor, torch.Tensor]] = []

    def begin(self, _module: torch.nn.Module, _args: tuple[object, ...], output: torch.Tensor) -> torch.Tensor:
        """Begin a graph of its own at what the neurons are made of."""
        if not output.requires_grad:
            return output
        leaf = output.detach().requires_grad_()
        self._ends.append((output, leaf))
        return leaf

    def join(self, _module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        """Join the neurons to the graph before the cut."""
        if not self._ends:
            return args
        before, leaves = zip(*self._ends, strict=True)
        self._ends.clear()
        slopes = torch.autograd.grad(args[0], leaves, torch.ones_like(args[0]))
        return (_Elementwise.apply(args[0].detach(), *slopes, *before), *args[1:])


class _Elementwise(torch.autograd.Function):
    """A value that each of its inputs, entry by entry, moves with a known slope."""

    @staticmethod
    def forward(ctx: FunctionCtx, value: torch.Tensor, *slopes_and_inputs: torch.Tensor) -> torch.Tensor:
        """Return the value; the first half of what follows are slopes, the second the inputs."""
        ctx.save_for_backward(*slopes_and_inputs[: len(slopes_and_inputs) // 2])
        return value.view_as(value)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Multiply by the slopes."""
        slopes = ctx.saved_tensors
        return None, *[None] * len(slopes), *[gradient * slope for slope in slopes]
