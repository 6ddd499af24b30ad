"""One tiny model per family, with the names its checkpoints have on disk."""

import numpy as np

ONE_OF_EACH = ("gpt_neox-parallel", "gpt2", "opt", "llama", "olmo2")


def on_disk(model) -> dict[str, np.ndarray]:
    names = {"lm_head.weight": "embed_out.weight"} if model.config.model_type == "gpt_neox" else {}
    return {names.get(k, k): v.numpy() for k, v in model.state_dict().items()}
