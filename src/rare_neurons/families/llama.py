"""Llama: sequential pre-norm blocks, RMSNorm, gated MLP (a neuron is one channel of the product), untied by default."""

from rare_neurons.families.base import Family, Slot


def llama_like(model_type: str, post_norm: str | None) -> Family:
    """Return a family with Llama's names, with or without a norm over the MLP's output."""
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
        mlp_norm=None if post_norm else "post_attention_layernorm",
        legacy_buffers=("rotary_emb.inv_freq",),
    )


LLAMA = llama_like("llama", post_norm=None)
