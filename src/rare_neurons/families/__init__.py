"""Where each architecture keeps its parts: tensor names, layouts and module paths, without torch.

base      what a family says: `Family`, `Slot`, `MatrixSpec`
gpt_neox, gpt2, opt, llama, olmo2
          one file per architecture

To add a family, write its file and name it in `FAMILIES`; `tests/families/test_families.py` then asks for its parity
test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.families.base import LAYER_MATRICES, BlockKind, Family, MatrixSpec, NormKind, Slot
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
    "family_of",
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
    """
    model_type = config.get("model_type")
    for key, why in _REFUSED_KEYS.items():
        if config.get(key) not in (None, 1, 1.0):
            raise RequestError(f"model_type {model_type!r} has {key}={config[key]}: {why}; not supported")
    experts = [key for key in _EXPERT_KEYS if (config.get(key) or 0) > 1]
    if experts:
        raise RequestError(
            f"model_type {model_type!r} is a mixture of experts ({experts[0]}={config[experts[0]]}): a neuron's mean "
            "activation would need the router's choices; not supported"
        )
    if model_type not in FAMILIES:
        raise RequestError(
            f"unknown family {model_type!r}; known: {', '.join(FAMILIES)}. Add it in rare_neurons/families/"
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
        If a matrix the configuration promises is not among the tensors.
    """
    family, names = family_of(config), set(tensor_names)
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
        specs.append(MatrixSpec(None, "W_U", family.unembedding, transpose=True))
    missing = sorted({spec.tensor for spec in specs} - names)
    if missing:
        raise DataFault(f"{len(missing)} tensors missing from a {family.model_type} checkpoint, first {missing[0]!r}")
    return tuple(specs)
