"""Where each architecture keeps its parts: tensor names, layouts and module paths, without torch.

To add a family, write one `Family` into `FAMILIES`; `tests/models/test_families.py` then asks for its parity test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rare_neurons.errors import DataFault, RequestError

BlockKind = Literal["parallel", "sequential", "post_norm"]
NormKind = Literal["layer_norm", "rms_norm", "none"]

LAYER_MATRICES = ("W_Q", "W_K", "W_V", "W_O", "W_gate", "W_in", "W_out")


@dataclass(frozen=True)
class Slot:
    """Where one matrix lies: a tensor name, and how its 2-D matrix is cut out of the stored array."""

    name: str
    transpose: bool = False
    part: int | None = None  # index among query, key, value of a fused tensor
    interleaved: bool = False  # fused head by head: [head, 3, head_dim, d_model]


@dataclass(frozen=True)
class Family:
    """Names and layouts of one `model_type`."""

    model_type: str
    prefixes: tuple[str, ...]  # of tensor names on disk; the first is the module path in memory
    blocks: str
    layer: Mapping[str, Slot]
    embedding: str
    unembedding: str
    final_norm: str
    norm: NormKind
    post_norm: str | None = None  # norm over the MLP's output, inside the block
    tied_by_default: bool = False
    legacy_buffers: tuple[str, ...] = ()
    n_layers_key: str = "num_hidden_layers"
    n_heads_key: str = "num_attention_heads"

    def block_kind(self, config: Mapping[str, Any]) -> BlockKind:
        """How the final block adds its MLP output to the residual stream."""
        if self.post_norm is not None:
            return "post_norm"
        if self.model_type == "gpt_neox" and config.get("use_parallel_residual", True):
            return "parallel"
        return "sequential"

    def norm_kind(self, config: Mapping[str, Any]) -> NormKind:
        """Kind of the norm before the unembedding; some OPT checkpoints have none."""
        return "none" if config.get("_remove_final_layer_norm") else self.norm

    def tied(self, config: Mapping[str, Any]) -> bool:
        """Whether the unembedding is the embedding."""
        return bool(config.get("tie_word_embeddings", self.tied_by_default))

    def module(self, path: str) -> str:
        """Path of a submodule of the causal language model in memory."""
        return f"{self.prefixes[0]}{path}"

    def block_module(self, layer: int, matrix: str) -> str:
        """Path in memory of the module that holds one of a block's matrices, such as `W_out`."""
        return self.module(f"{self.blocks}.{layer}.{self.layer[matrix].name.removesuffix('.weight')}")

    def in_memory(self, tensor: str) -> str:
        """Path in memory of a tensor stored under an older name, or without the prefix."""
        head = self.unembedding.removesuffix(".weight")
        if tensor.startswith((f"{head}.", "lm_head.")):
            return f"lm_head.{tensor.split('.', 1)[1]}"
        prefix = next((p for p in sorted(self.prefixes, key=len, reverse=True) if tensor.startswith(p)), None)
        return tensor if prefix is None else self.module(tensor.removeprefix(prefix))

    def is_legacy_buffer(self, tensor: str) -> bool:
        """Whether a stored tensor is a buffer that older versions saved and that carries no weights."""
        # With the dot: the bias of GPT-2's `c_attn` is no buffer.
        return f".{tensor}".endswith(tuple(f".{name}" for name in self.legacy_buffers))


@dataclass(frozen=True)
class MatrixSpec:
    """One 2-D weight matrix of a checkpoint and how to cut it from its stored tensor.

    Orientations are those of the project's vocabulary: `W_in`, `W_gate`, `W_out` `[neuron, d_model]`; `W_Q`, `W_K`,
    `W_V` `[head * head_dim, d_model]`; `W_O` `[d_model, head * head_dim]`; `W_E` `[vocab, d_model]`; `W_U`
    `[d_model, vocab]`.
    """

    layer: int | None
    matrix: str
    tensor: str
    transpose: bool = False
    part: int | None = None
    interleaved: bool = False
    n_heads: int = 1

    def select(self, array: Any) -> Any:
        """Cut the matrix out of its stored tensor (a NumPy array or torch tensor, 2-D); a view where possible."""
        rows = array.T if self.transpose else array
        if self.part is None:
            return rows
        n_out, d_model = rows.shape
        if self.interleaved:
            return rows.reshape(self.n_heads, 3, n_out // (3 * self.n_heads), d_model)[:, self.part].reshape(
                n_out // 3, d_model
            )
        return rows[self.part * n_out // 3 : (self.part + 1) * n_out // 3]


def _llama_like(model_type: str, post_norm: str | None) -> Family:
    names = {"W_Q": "q_proj", "W_K": "k_proj", "W_V": "v_proj"}
    return Family(
        model_type=model_type,
        prefixes=("model.", ""),
        blocks="layers",
        layer={
            **{matrix: Slot(f"self_attn.{name}.weight") for matrix, name in names.items()},
            "W_O": Slot("self_attn.o_proj.weight"),
            "W_gate": Slot("mlp.gate_proj.weight"),
            "W_in": Slot("mlp.up_proj.weight"),
            "W_out": Slot("mlp.down_proj.weight", transpose=True),
        },
        embedding="embed_tokens.weight",
        unembedding="lm_head.weight",
        final_norm="norm",
        norm="rms_norm",
        post_norm=post_norm,
        legacy_buffers=("rotary_emb.inv_freq",),
    )


FAMILIES: dict[str, Family] = {
    family.model_type: family
    for family in (
        Family(
            model_type="gpt_neox",
            prefixes=("gpt_neox.",),
            blocks="layers",
            layer={
                **{
                    matrix: Slot("attention.query_key_value.weight", part=part, interleaved=True)
                    for part, matrix in enumerate(("W_Q", "W_K", "W_V"))
                },
                "W_O": Slot("attention.dense.weight"),
                "W_in": Slot("mlp.dense_h_to_4h.weight"),
                "W_out": Slot("mlp.dense_4h_to_h.weight", transpose=True),
            },
            embedding="embed_in.weight",
            unembedding="embed_out.weight",
            final_norm="final_layer_norm",
            norm="layer_norm",
            legacy_buffers=("attention.bias", "attention.masked_bias", "rotary_emb.inv_freq"),
        ),
        Family(
            model_type="gpt2",
            prefixes=("transformer.", ""),
            blocks="h",
            layer={  # Conv1D stores [in, out]
                **{
                    matrix: Slot("attn.c_attn.weight", transpose=True, part=part)
                    for part, matrix in enumerate(("W_Q", "W_K", "W_V"))
                },
                "W_O": Slot("attn.c_proj.weight", transpose=True),
                "W_in": Slot("mlp.c_fc.weight", transpose=True),
                "W_out": Slot("mlp.c_proj.weight"),
            },
            embedding="wte.weight",
            unembedding="lm_head.weight",
            final_norm="ln_f",
            norm="layer_norm",
            tied_by_default=True,
            legacy_buffers=("attn.bias", "attn.masked_bias"),
            n_layers_key="n_layer",
            n_heads_key="n_head",
        ),
        Family(
            model_type="opt",
            prefixes=("model.decoder.", "decoder."),
            blocks="layers",
            layer={
                **{
                    matrix: Slot(f"self_attn.{name}_proj.weight")
                    for matrix, name in {"W_Q": "q", "W_K": "k", "W_V": "v", "W_O": "out"}.items()
                },
                "W_in": Slot("fc1.weight"),
                "W_out": Slot("fc2.weight", transpose=True),
            },
            embedding="embed_tokens.weight",
            unembedding="lm_head.weight",
            final_norm="final_layer_norm",
            norm="layer_norm",
            tied_by_default=True,
        ),
        _llama_like("llama", post_norm=None),
        _llama_like("olmo2", post_norm="post_feedforward_layernorm"),
    )
}

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
            f"unknown family {model_type!r}; known: {', '.join(FAMILIES)}. Add it in rare_neurons/families.py"
        )
    if model_type == "opt" and not config.get("do_layer_norm_before", True):
        raise RequestError(
            "this OPT is post-LN (do_layer_norm_before=false, as OPT-350m): the final block normalises residual and "
            "MLP together, which needs its own influence formula; not supported"
        )
    width = config.get("hidden_size")
    if model_type == "opt" and config.get("word_embed_proj_dim", width) != width:
        raise RequestError("this OPT projects out of the residual stream (word_embed_proj_dim): not supported")
    return FAMILIES[model_type]


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
