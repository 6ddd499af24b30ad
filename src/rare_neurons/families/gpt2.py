"""GPT-2: sequential pre-norm blocks, LayerNorm, Conv1D weights stored [in, out], tied unembedding."""

from rare_neurons.families.base import Family, Slot

GPT2 = Family(
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
    mlp_norm="ln_2",
    activation_key="activation_function",
    tied_by_default=True,
    legacy_buffers=("attn.bias", "attn.masked_bias"),
    n_layers_key="n_layer",
    n_heads_key="n_head",
    width_key="n_embd",
    n_neurons_key="n_inner",
    positions_key="n_positions",
    learned_positions=True,
)
