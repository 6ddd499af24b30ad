"""What a family says of its blocks and names."""

from rare_neurons.families import FAMILIES
from tests.families.tiny import ONE_OF_EACH
from tests.models.tiny import random_model


def test_block_kinds():
    kinds = {n: FAMILIES[n.split("-")[0]].block_kind(random_model(n).config.to_dict()) for n in ONE_OF_EACH}
    assert kinds == {
        "gpt_neox-parallel": "parallel",
        "gpt2": "sequential",
        "opt": "sequential",
        "llama": "sequential",
        "olmo2": "post_norm",
    }
    assert FAMILIES["gpt_neox"].block_kind({"use_parallel_residual": False}) == "sequential"
