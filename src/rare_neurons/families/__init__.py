"""Where each architecture keeps its parts: tensor names, layouts and module paths, without torch.

base      what a family says: `Family`, `Slot`, `MatrixSpec`
bounds    what a configuration may say, and the shapes that follow from it
gpt_neox, gpt2, opt, llama, olmo2
          one file per architecture

To add a family, write its file and name it in `FAMILIES`; `tests/families/test_families.py` then asks for its parity
test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rare_neurons.errors import DataFault, RequestError, shown
from rare_neurons.families.base import LAYER_MATRICES, BlockKind, Family, MatrixSpec, NormKind, Slot
from rare_neurons.families.bounds import check_config, check_shapes
from rare_neurons.families.gpt2 import GPT2
from rare_neurons.families.gpt_neox import GPT_NEOX
from rare_neurons.families.llama import LLAMA
from rare_neurons.families.olmo2 import OLMO2
from rare_neurons.families.opt import OPT

__all__ = [
    "FAMILIES",
    "LAYER_MATRICES",
    "BlockKind",
    "Family",
    "MatrixSpec",
    "NormKind",
    "Slot",
    "checked_matrices",
    "family_of",
    "known_tensors",
    "weight_matrices",
]

FAMILIES: dict[str, Family] = {family.model_type: family for family in (GPT_NEOX, GPT2, OPT, LLAMA, OLMO2)}

_REFUSED_KEYS = {
    "final_logit_softcapping": "a logit soft-cap: the ablated logits are no longer linear in the residual",
    "logit_scale": "a logit scale: it would have to multiply the readout matrix",
    "logits_scaling": "a logit scale: it would have to multiply the readout matrix",
}
_EXPERT_KEYS = ("num_local_experts", "num_experts", "n_routed_experts")


def family_of(config: Mapping[str, Any]) -> Family:
    """Family of a `config.json`, or a refusal that names what is missing.

    Raises
    ------
    RequestError
        For an unknown `model_type`, and for known architectures whose readout or block has no formula here.
    DataFault
        If it names none.
    """
    model_type = config.get("model_type")
    if not isinstance(model_type, str):
        raise DataFault(f"config.json names no family: model_type={shown(model_type)}")
    named = f"model_type {shown(model_type)}"
    for key, why in _REFUSED_KEYS.items():
        if config.get(key) not in (None, 1, 1.0):
            raise RequestError(f"{named} has {key}={shown(config[key])}: {why}; not supported")
    experts = [key for key in _EXPERT_KEYS if config.get(key) not in (None, 0, 1)]
    if experts:
        raise RequestError(
            f"{named} is a mixture of experts ({experts[0]}={shown(config[experts[0]])}): a neuron's mean "
            "activation would need the router's choices; not supported"
        )
    if model_type not in FAMILIES:
        raise RequestError(
            f"unknown family {shown(model_type)}; known: {', '.join(FAMILIES)}. Add it in rare_neurons/families/"
        )
    family = FAMILIES[model_type]
    reason = family.refusal(config)
    if reason is not None:
        raise RequestError(reason)
    return family


def weight_matrices(config: Mapping[str, Any], tensor_names: Iterable[str]) -> tuple[MatrixSpec, ...]:
    """List every 2-D weight matrix of a checkpoint: embedding, each block's, unembedding unless tied.

    Parameters
    ----------
    config : mapping
        The checkpoint's `config.json`.
    tensor_names : iterable of str
        Names of the tensors in its weight files.

    Raises
    ------
    RequestError
        For families without an entry here.
    DataFault
        If the configuration is impossible, or a matrix that it promises is not among the tensors.
    """
    family, names = family_of(config), set(tensor_names)
    check_config(family, config)
    prefix = next((p for p in family.prefixes if p + family.embedding in names), family.prefixes[0])
    n_heads = int(config[family.n_heads_key])
    specs = [MatrixSpec(None, "W_E", prefix + family.embedding)]
    for layer in range(int(config[family.n_layers_key])):
        for matrix in LAYER_MATRICES:
            if matrix in family.layer:
                slot = family.layer[matrix]
                tensor = f"{prefix}{family.blocks}.{layer}.{slot.name}"
                specs.append(MatrixSpec(layer, matrix, tensor, slot.transpose, slot.part, slot.interleaved, n_heads))
    if not family.tied(config):
        specs.append(MatrixSpec(None, "W_U", _unembedding(family, names), transpose=True))
    missing = sorted({spec.tensor for spec in specs} - names)
    if missing:
        raise DataFault(f"{len(missing)} tensors missing from a {family.model_type} checkpoint, first {missing[0]!r}")
    return tuple(specs)


def checked_matrices(config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> tuple[MatrixSpec, ...]:
    """As `weight_matrices`, and check that each matrix has the shape that the configuration gives it.

    Parameters
    ----------
    config : mapping
        The checkpoint's `config.json`.
    shapes : mapping
        Shape of every stored tensor, by name.

    Raises
    ------
    RequestError, DataFault
        As `weight_matrices`; a `DataFault` also for another shape.
    """
    specs = weight_matrices(config, shapes)
    check_shapes(family_of(config), config, specs, shapes)
    return specs


def known_tensors(config: Mapping[str, Any], tensor_names: Iterable[str]) -> dict[str, str]:
    """Name of each stored tensor in the family's own checkpoints, whoever saved it and under whatever names.

    An unembedding stored beside the embedding that it is tied to is left out: it is that tensor once more.

    Raises
    ------
    DataFault
        If two stored tensors are one of the family's.
    """
    family = family_of(config)
    known = {name: family.on_disk(name) for name in tensor_names}
    if family.tied(config):
        known = {name: own for name, own in known.items() if own != family.unembedding}
    by_own = {own: name for name, own in known.items()}
    if len(by_own) < len(known):
        twice = next(name for name, own in known.items() if by_own[own] != name)
        raise DataFault(f"{twice} and {by_own[known[twice]]} are one tensor of a {family.model_type} checkpoint")
    return known


def _unembedding(family: Family, names: set[str]) -> str:
    """Name of the stored unembedding: the family's own, or the one that transformers has for all in memory."""
    stored = [name for name in dict.fromkeys((family.unembedding, "lm_head.weight")) if name in names]
    if len(stored) > 1:
        raise DataFault(f"{' and '.join(stored)} are both the unembedding of a {family.model_type} checkpoint")
    return stored[0] if stored else family.unembedding
