"""Tiny random models of each family and a random panel for them."""

import numpy as np
import torch
import transformers

from rare_neurons.models.influence.inputs import EngineSettings
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.grid.folds import N_FOLDS

VOCAB, D_MODEL, N_NEURONS, LENGTH = 61, 12, 20, 14
NAMES = ("gpt_neox-parallel", "gpt_neox-sequential", "gpt2", "opt", "opt-no-norm", "llama", "olmo2")
LAYOUTS = tuple(name for name in NAMES if name != "gpt_neox-sequential")
"""Models that differ on disk."""
EXACT = EngineSettings(engine="exact", tolerance=1e-7, tolerance_se=0.1, memory_gb=1.0, placebo_draws=2)
"""Settings for the engine that has no tolerance."""
_COMMON = {"vocab_size": VOCAB, "hidden_size": D_MODEL, "num_hidden_layers": 2, "num_attention_heads": 2}
_IDS = {"bos_token_id": 0, "eos_token_id": 0}


def config_of(name: str) -> transformers.PreTrainedConfig:
    return {
        "gpt_neox-parallel": lambda: transformers.GPTNeoXConfig(**_COMMON, **_IDS, intermediate_size=N_NEURONS),
        "gpt_neox-sequential": lambda: transformers.GPTNeoXConfig(
            **_COMMON, **_IDS, intermediate_size=N_NEURONS, use_parallel_residual=False
        ),
        "gpt2": lambda: transformers.GPT2Config(
            vocab_size=VOCAB, n_embd=D_MODEL, n_layer=2, n_head=2, n_inner=N_NEURONS, n_positions=32, **_IDS
        ),
        "opt": lambda: transformers.OPTConfig(
            **_COMMON, **_IDS, pad_token_id=1, ffn_dim=N_NEURONS, word_embed_proj_dim=D_MODEL
        ),
        "opt-no-norm": lambda: transformers.OPTConfig(
            **_COMMON,
            **_IDS,
            pad_token_id=1,
            ffn_dim=N_NEURONS,
            word_embed_proj_dim=D_MODEL,
            _remove_final_layer_norm=True,
        ),
        "llama": lambda: transformers.LlamaConfig(
            **_COMMON, **_IDS, num_key_value_heads=1, intermediate_size=N_NEURONS
        ),
        "olmo2": lambda: transformers.Olmo2Config(**_COMMON, **_IDS, intermediate_size=N_NEURONS, pad_token_id=1),
    }[name]()


def random_model(name: str, seed: int = 0, dtype: torch.dtype = torch.float64) -> transformers.PreTrainedModel:
    """A random model with weights large enough that no effect is tiny, norms and biases away from one and zero."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = transformers.AutoModelForCausalLM.from_config(config_of(name)).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() == 1:
                    parameter.add_(0.3 * torch.randn_like(parameter))
                else:
                    parameter.copy_(0.4 * torch.randn_like(parameter))
    model = model.to(dtype)
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):  # transformers computes these in float32 whatever the dtype
            module.forward = _rms_norm(module)
    return model


def _rms_norm(module):
    def forward(x):
        return module.weight * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + module.variance_epsilon)

    return forward


def random_panel(
    n_contexts: int = 8, per_stratum: int = 25, vocab: int = VOCAB, length: int = LENGTH, seed: int = 1
) -> PanelArrays:
    """Strata common, mid, rare by id, the last ids without one; two contexts a document; every part has targets."""
    rng = np.random.default_rng(seed)
    token_ids = rng.integers(0, vocab - 4, size=(n_contexts, length))
    vocab_stratum = np.repeat([0, 1, 2, -1], [vocab // 4, vocab // 3, vocab - 4 - vocab // 4 - vocab // 3, 4])
    min_position = 2
    context, position = np.meshgrid(np.arange(n_contexts), np.arange(min_position, length - 1), indexing="ij")
    context, position = context.ravel(), position.ravel()
    target_id = token_ids[context, position + 1]
    stratum = vocab_stratum[target_id]
    rows = np.sort(np.concatenate([rng.permutation(np.flatnonzero(stratum == s))[:per_stratum] for s in range(3)]))
    p = 1.0 / np.arange(1, vocab + 1)
    document = np.arange(n_contexts) // 2
    return PanelArrays(
        token_ids=token_ids,
        fold=document * N_FOLDS // (document[-1] + 1),
        context=context[rows],
        position=position[rows],
        target_id=target_id[rows],
        document=document[context[rows]],
        type_bin=target_id[rows] % N_FOLDS,
        stratum=stratum[rows],
        strata=("common", "mid", "rare"),
        vocab_stratum=vocab_stratum,
        log_unigram=np.log(p / p.sum()),
        min_position=min_position,
    )
