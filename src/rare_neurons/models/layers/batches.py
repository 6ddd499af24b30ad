"""How many contexts a pass with a graph takes at a time, and fewer where memory does not hold them."""

from __future__ import annotations

from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.draws import Sample
from rare_neurons.models.memory import FittingBatches, contexts_at_once, forward_bytes, usable_bytes

BATCH_TOKENS = 4096  # on a processor: more is no faster, and the graph of a large model is what fills memory


def first_batch_size(blocks: Blocks, sample: Sample, asked: int | None) -> int:
    """Contexts at a time: as asked, or about 4,096 tokens, on an accelerator what its free memory holds."""
    length, config = sample.token_ids.shape[1], blocks.model.config
    if asked is not None:
        return min(asked, len(sample))
    if blocks.model.device.type == "cpu":
        return min(max(1, BATCH_TOKENS // length), len(sample))
    d_model, n_neurons, itemsize = config.hidden_size, blocks.n_neurons, blocks.directions(0).element_size()
    graph = len(blocks) * (16 * d_model + 8 * n_neurons)
    logits = 8 * config.vocab_size * len(sample.context) / (len(sample) * length)
    once = forward_bytes(
        d_model=d_model, n_neurons=n_neurons, n_heads=config.num_attention_heads, length=length, itemsize=itemsize
    )
    per_token = once + int(itemsize * (graph + logits))
    return min(
        contexts_at_once(usable_bytes(blocks.model.device), bytes_per_token=per_token, length=length), len(sample)
    )


def fitting_batches(blocks: Blocks, sample: Sample, asked: int | None) -> FittingBatches:
    """Return what runs passes with a graph over a sample."""
    device, length = blocks.model.device, sample.token_ids.shape[1]
    too_large = (
        f"one context of {length} tokens and its gradients do not fit the memory of {device}; use a larger device or "
        "shorter contexts"
    )
    return FittingBatches(first_batch_size(blocks, sample, asked), device=device, too_large=too_large)
