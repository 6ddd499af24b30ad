"""Which weights are whose: every tensor of a model cut into neurons, heads, embedding rows, norms and the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from transformers import PreTrainedModel

from rare_neurons.families import Family, MatrixSpec, family_of, weight_matrices

Kind = Literal["neuron", "head", "embedding", "unembedding", "norm", "other"]
_OF_NEURON, _OF_HEAD, _OF_TOKEN = ("W_in", "W_gate", "W_out"), ("W_Q", "W_K", "W_V", "W_O"), ("W_E", "W_U")


@dataclass(frozen=True)
class Unit:
    """Weights that are counted together.

    `unit` is the index of a neuron or head, `token_class` the class of an embedding's or unembedding's tokens (its
    stratum, or one more for those without); None where there is none.
    """

    layer: int | None
    kind: Kind
    unit: int | None = None
    token_class: int | None = None


@dataclass(frozen=True)
class _Part:
    """Rows of one tensor: `select` gives a view `[row, column]`, `owners` the units `[row, owner]` of each row."""

    tensor: str
    select: Callable[[torch.Tensor], torch.Tensor]
    owners: torch.Tensor


class Units:
    """The units of a model, and sums over their weights.

    Heads that share keys and values (grouped queries) share those slices evenly. Norms and what is left over (output
    biases, learned positions) are one unit each of every layer, and one outside the layers. Every weight counts once.

    Parameters
    ----------
    model : PreTrainedModel
    class_of_id : int `[vocab]`
        Class of each token id.

    Attributes
    ----------
    units : tuple of Unit
    tensors : tuple of str
        Names of the parameters that any unit has.
    """

    def __init__(self, model: PreTrainedModel, class_of_id: np.ndarray) -> None:
        self._index: dict[Unit, int] = {}
        self._class_of_id = np.asarray(class_of_id)
        self._parts: dict[str, list[_Part]] = {}
        for part in self._cut(model):
            self._parts.setdefault(part.tensor, []).append(part)
        self.units = tuple(self._index)
        self.tensors = tuple(self._parts)
        owners = [part.owners.reshape(-1) for parts in self._parts.values() for part in parts]
        self._flat = torch.cat(owners).to(model.device)

    def sums(self, values: Callable[[str], torch.Tensor]) -> torch.Tensor:
        """Sum over each unit's weights `[unit]` of what a tensor's name gives for every weight of it, in its dtype."""
        rows = []
        for tensor, parts in self._parts.items():
            of_tensor = values(tensor)  # one tensor at a time: products of all would be as large as the model
            for part in parts:
                of_row = part.select(of_tensor).sum(1)
                n = part.owners.shape[1]
                rows.append(of_row if n == 1 else (of_row / n)[:, None].expand(-1, n).reshape(-1))
        flat = torch.cat([row.to(self._flat.device) for row in rows])
        return flat.new_zeros(len(self.units)).index_add_(0, self._flat, flat)

    def _cut(self, model: PreTrainedModel) -> Iterator[_Part]:
        config = model.config.to_dict()
        family = family_of(config)
        shapes = {name: tuple(tensor.shape) for name, tensor in model.named_parameters()}
        taken = set()
        for spec in weight_matrices(config, shapes):
            taken.add(spec.tensor)
            yield self._matrix(spec, config, shapes)
            bias = spec.tensor.removesuffix("weight") + "bias"
            if spec.matrix in ("W_in", "W_gate", "W_Q", "W_K", "W_V") and bias in shapes:
                taken.add(bias)
                yield self._matrix(replace(spec, tensor=bias, transpose=False), config, shapes)
        norms = _tensors_of_norms(model)
        for name in sorted(shapes.keys() - taken):
            kind = "norm" if name in norms else "other"
            yield _Part(name, lambda v: v.reshape(1, -1), self._owners([Unit(_layer_of(name, family), kind)]))

    def _matrix(self, spec: MatrixSpec, config: Mapping[str, object], shapes: Mapping[str, tuple[int, ...]]) -> _Part:
        def select(values: torch.Tensor) -> torch.Tensor:
            matrix = spec.select(values if values.dim() == 2 else values[:, None])
            return matrix.T if spec.matrix in ("W_O", "W_U") else matrix

        n_rows = len(select(torch.empty(shapes[spec.tensor], device="meta")))
        if spec.matrix in _OF_HEAD:
            return _Part(spec.tensor, select, self._heads(spec, config, n_rows))
        if spec.matrix in _OF_NEURON:
            units = [Unit(spec.layer, "neuron", neuron) for neuron in range(n_rows)]
        else:
            kind = "embedding" if spec.matrix == "W_E" else "unembedding"
            units = [Unit(None, kind, None, int(k)) for k in self._class_of_id[:n_rows]]
        return _Part(spec.tensor, select, self._owners(units))

    def _heads(self, spec: MatrixSpec, config: Mapping[str, object], n_rows: int) -> torch.Tensor:
        """Owners of the rows of a head's matrix `[row, owner]`: several heads where they share keys and values."""
        n_heads = spec.n_heads
        shared = spec.matrix in ("W_K", "W_V")
        n_own = int(config.get("num_key_value_heads") or n_heads) if shared else n_heads
        group = n_heads // n_own
        of_head = [self._number(Unit(spec.layer, "head", head)) for head in range(n_heads)]
        owners = torch.tensor(of_head).reshape(n_own, group)
        return owners.repeat_interleave(n_rows // n_own, dim=0)

    def _owners(self, units: Sequence[Unit]) -> torch.Tensor:
        return torch.tensor([[self._number(unit)] for unit in units])

    def _number(self, unit: Unit) -> int:
        return self._index.setdefault(unit, len(self._index))


def _tensors_of_norms(model: PreTrainedModel) -> set[str]:
    """Parameters of norms, which every architecture calls so, wherever in a block it has them."""
    found = set()
    for path, module in model.named_modules():
        if type(module).__name__.endswith("Norm"):
            found |= {f"{path}.{name}" for name, _ in module.named_parameters(recurse=False)}
    return found


def _layer_of(name: str, family: Family) -> int | None:
    """Layer of a tensor; None outside the blocks."""
    blocks = family.module(f"{family.blocks}.")
    return int(name.removeprefix(blocks).split(".")[0]) if name.startswith(blocks) else None
