"""Which weights are whose: every tensor of a model cut into neurons, heads, embedding rows, norms and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from transformers import PreTrainedModel

from rare_neurons.families import Family, MatrixSpec, family_of, weight_matrices

Kind = Literal["neuron", "head", "embedding", "unembedding", "norm", "other"]
Way = Literal["output", "input", "token", "vocabulary", "all"]
_BY_INPUT = ("W_O", "W_out")
_OF_HEAD = ("W_Q", "W_K", "W_V", "W_O")


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
class Share:
    """Whose the weights of one module are.

    Attributes
    ----------
    module : str
        Path in memory.
    way : str
        What its weights are cut by: `output` or `input` entries, classes of the input's `token` or of the output's
        `vocabulary`; `all` are not cut.
    owners : Tensor `[entry, owner]`
        Units of each entry; those of one entry share it evenly.
    spec : MatrixSpec or None
        Of a matrix that is cut by its inputs.
    bias_owner : int or None
        Unit of the bias of such a module.
    """

    module: str
    way: Way
    owners: torch.Tensor
    spec: MatrixSpec | None = None
    bias_owner: int | None = None


class Units:
    """The units of a model.

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
    shares : tuple of Share
        One for each module with weights of its own; a tied unembedding is the embedding's once more.
    """

    def __init__(self, model: PreTrainedModel, class_of_id: np.ndarray) -> None:
        self._index: dict[Unit, int] = {}
        self._n_classes = int(class_of_id.max()) + 1
        self._config = model.config.to_dict()
        self._family = family_of(self._config)
        self.shares = tuple(self._cut(model))
        self.units = tuple(self._index)

    def _cut(self, model: PreTrainedModel) -> list[Share]:
        shapes = {name: tuple(tensor.shape) for name, tensor in model.named_parameters()}
        specs: dict[str, list[MatrixSpec]] = {}
        for spec in weight_matrices(self._config, shapes):
            specs.setdefault(spec.tensor.removesuffix(".weight"), []).append(spec)
        found = []
        for path, module in model.named_modules():
            own = dict(module.named_parameters(recurse=False))
            if module is model.get_output_embeddings():
                kind = "embedding" if self._family.tied(self._config) else "unembedding"
                found.append(Share(path, "vocabulary", self._of_classes(kind)))
            elif path in specs:
                found.append(self._of_matrices(path, specs[path], own["weight"].shape))
            elif own:
                kind = "norm" if type(module).__name__.endswith("Norm") else "other"
                found.append(Share(path, "all", self._owners([Unit(_layer_of(path, self._family), kind)])))
        return found

    def _of_matrices(self, path: str, specs: Sequence[MatrixSpec], shape: torch.Size) -> Share:
        first = specs[0]
        if first.matrix == "W_E":
            return Share(path, "token", self._of_classes("embedding"))
        if first.matrix in _BY_INPUT:
            n_inputs = shape[0] if (first.matrix == "W_out") != first.transpose else shape[1]
            rest = self._number(Unit(first.layer, "other"))
            return Share(path, "input", self._owners(self._units_of(first, n_inputs)), first, rest)
        n_outputs = shape[1] if first.transpose else shape[0]
        owners: dict[int, torch.Tensor] = {}
        for spec in specs:  # one, or query, key and value of a fused module
            places = replace(spec, transpose=False).select(torch.arange(n_outputs)[:, None])[:, 0]
            owners |= dict(zip(places.tolist(), self._of_outputs(spec, len(places)), strict=True))
        return Share(path, "output", torch.stack([owners[place] for place in range(n_outputs)]))

    def _of_outputs(self, spec: MatrixSpec, n_rows: int) -> torch.Tensor:
        """Owners `[row, owner]`: several heads where they share keys and values."""
        shared = int(self._config.get("num_key_value_heads") or spec.n_heads)
        group = spec.n_heads // shared if spec.matrix in ("W_K", "W_V") else 1
        if group == 1:
            return self._owners(self._units_of(spec, n_rows))
        of_head = [self._number(Unit(spec.layer, "head", head)) for head in range(spec.n_heads)]
        return torch.tensor(of_head).reshape(shared, group).repeat_interleave(n_rows // shared, dim=0)

    @staticmethod
    def _units_of(spec: MatrixSpec, n: int) -> list[Unit]:
        if spec.matrix in _OF_HEAD:
            return [Unit(spec.layer, "head", row * spec.n_heads // n) for row in range(n)]
        return [Unit(spec.layer, "neuron", row) for row in range(n)]

    def _of_classes(self, kind: Kind) -> torch.Tensor:
        return self._owners([Unit(None, kind, None, k) for k in range(self._n_classes)])

    def _owners(self, units: Sequence[Unit]) -> torch.Tensor:
        return torch.tensor([[self._number(unit)] for unit in units])

    def _number(self, unit: Unit) -> int:
        return self._index.setdefault(unit, len(self._index))


def _layer_of(path: str, family: Family) -> int | None:
    """Layer of a module; None outside the blocks."""
    blocks = family.module(f"{family.blocks}.")
    return int(path.removeprefix(blocks).split(".")[0]) if path.startswith(blocks) else None
