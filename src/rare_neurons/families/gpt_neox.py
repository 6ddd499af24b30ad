"""GPT-NeoX (Pythia): parallel or sequential blocks, LayerNorm, fused head-by-head QKV, untied unembedding."""

from rare_neurons.families.base import Family, Slot

GPT_NEOX = Family(
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
    mlp_norm="post_attention_layernorm",
    legacy_buffers=("attention.bias", "attention.masked_bias", "rotary_emb.inv_freq"),
    parallel=lambda config: bool(config.get("use_parallel_residual", True)),
)
