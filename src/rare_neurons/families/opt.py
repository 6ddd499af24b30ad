"""OPT: sequential pre-norm blocks, LayerNorm, separate projections, tied unembedding; post-norm ones are refused."""

from collections.abc import Mapping
from typing import Any

from rare_neurons.families.base import Family, Slot


def _refusal(config: Mapping[str, Any]) -> str | None:
    if not config.get("do_layer_norm_before", True):
        return (
            "this OPT is post-LN (do_layer_norm_before=false, as OPT-350m): the final block normalises residual and "
            "MLP together, which needs its own influence formula; not supported"
        )
    width = config.get("hidden_size")
    if config.get("word_embed_proj_dim", width) != width:
        return "this OPT projects out of the residual stream (word_embed_proj_dim): not supported"
    return None


OPT = Family(
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
    mlp_norm="final_layer_norm",
    activation_key="activation_function",
    tied_by_default=True,
    n_neurons_key="ffn_dim",
    learned_positions=True,
    refusal=_refusal,
)
