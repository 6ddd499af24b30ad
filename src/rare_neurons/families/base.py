"""What a family says of its architecture: tensor names, layouts and module paths, without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, TypeVar

BlockKind = Literal["parallel", "sequential", "post_norm"]
NormKind = Literal["layer_norm", "rms_norm", "none"]

LAYER_MATRICES = ("W_Q", "W_K", "W_V", "W_O", "W_gate", "W_in", "W_out")


class Sliceable(Protocol):
    """What is used of a 2-D array: NumPy's and torch's both have it, and this package imports neither."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of both axes."""

    @property
    def T(self) -> Self:
        """Both axes swapped."""

    def reshape(self, *shape: int) -> Self:
        """Another shape with the same entries in the same order."""

    def __getitem__(self, index: slice | tuple[slice | int, ...]) -> Self:
        """Select some of its rows."""


Matrix = TypeVar("Matrix", bound=Sliceable)


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
    mlp_norm: str | None = None  # norm of what the MLP reads, inside the block; None where it has none
    activation_key: str = "hidden_act"
    tied_by_default: bool = False
    legacy_buffers: tuple[str, ...] = ()
    n_layers_key: str = "num_hidden_layers"
    n_heads_key: str = "num_attention_heads"
    width_key: str = "hidden_size"
    n_neurons_key: str = "intermediate_size"
    positions_key: str = "max_position_embeddings"
    learned_positions: bool = False  # a vector for each: contexts cannot be longer
    parallel: Callable[[Mapping[str, Any]], bool] = lambda config: False  # attention and MLP read the same residual
    refusal: Callable[[Mapping[str, Any]], str | None] = lambda config: None  # why a variant has no formula here

    def block_kind(self, config: Mapping[str, Any]) -> BlockKind:
        """How the final block adds its MLP output to the residual stream."""
        if self.post_norm is not None:
            return "post_norm"
        return "parallel" if self.parallel(config) else "sequential"

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

    def on_disk(self, tensor: str) -> str:
        """Name under which the family's own checkpoints store a tensor that is stored under another one."""
        path = self.in_memory(tensor)
        head = self.unembedding.removesuffix("weight")
        return head + path.removeprefix("lm_head.") if path.startswith("lm_head.") else path

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

    def select(self, array: Matrix) -> Matrix:
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
