"""A model on the straight line between two checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from transformers import PreTrainedModel

from rare_neurons.errors import RequestError
from rare_neurons.numerics.allocation.path import Node

Weights = Mapping[str, torch.Tensor]


class Line:
    """The weights `θ_a + α (θ_b − θ_a)`, put into the first of two models.

    Parameters
    ----------
    model : PreTrainedModel
        The earlier checkpoint; its weights are its own again when `moved` ends.
    end : mapping of str to Tensor
        Parameters of the later one, by name.

    Attributes
    ----------
    update : dict of str to Tensor
        `θ_b − θ_a` of each parameter, on the model's devices and in its dtype: rounding it once costs less than the
        rounding of one gradient.

    Raises
    ------
    RequestError
        If the checkpoints have other tensors or shapes.
    """

    def __init__(self, model: PreTrainedModel, end: Weights) -> None:
        self._model = model
        self._start = {name: p.detach().clone() for name, p in model.named_parameters()}
        other = [
            name
            for name in sorted(self._start.keys() | end.keys())
            if name not in self._start or name not in end or self._start[name].shape != end[name].shape
        ]
        if other:
            raise RequestError(
                f"{len(other)} tensors of the two checkpoints differ in name or shape, first {other[0]!r}; allocation "
                "needs two checkpoints of one run"
            )
        self.update = {
            name: (end[name].detach().to(a.device).double() - a.double()).to(a.dtype) for name, a in self._start.items()
        }

    def put(self, node: Node) -> None:
        """Put the model at a place of the line, rounded once from float64."""
        with torch.no_grad():
            for name, parameter in self._model.named_parameters():
                start = self._start[name]
                if node == 0:
                    parameter.copy_(start)
                else:
                    parameter.copy_(start.double() + float(node) * self.update[name].double())

    @contextmanager
    def moved(self) -> Iterator[None]:
        """Bring the weights back to where they were, whatever happens."""
        try:
            yield
        finally:
            self.put(Node(0))
