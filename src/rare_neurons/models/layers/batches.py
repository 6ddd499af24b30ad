"""How many contexts a pass with a graph takes at a time, and fewer where memory does not hold them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size

from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.draws import Sample
from rare_neurons.models.memory import contexts_at_once, forward_bytes, usable_bytes

T = TypeVar("T")
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


class FittingBatches:
    """Runs passes; one that does not fit the memory begins again with half the contexts at a time.

    Attributes
    ----------
    size : int
        Contexts at a time from here on.
    """

    def __init__(self, blocks: Blocks, sample: Sample, asked: int | None) -> None:
        self.device, self.length = blocks.model.device, sample.token_ids.shape[1]
        self.size = first_batch_size(blocks, sample, asked)

    def run(self, work: Callable[[int], T]) -> T:
        """Call `work(contexts at a time)`.

        Raises
        ------
        MemoryError
            If not even one context fits.
        """
        while True:
            try:
                return work(self.size)
            except (RuntimeError, MemoryError) as error:
                if not should_reduce_batch_size(error):
                    raise
            self._halve()
            clear_device_cache(garbage_collection=True)

    def _halve(self) -> None:
        if self.size == 1:
            raise MemoryError(
                f"one context of {self.length} tokens and its gradients do not fit the memory of {self.device}; use a "
                "larger device or shorter contexts"
            )
        self.size = (self.size + 1) // 2
        print(f"out of memory on {self.device}: {self.size} contexts at a time from here on", file=sys.stderr)
