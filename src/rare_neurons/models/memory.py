"""What a device has free, and how much of a pass fits it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import psutil
import torch
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size

T = TypeVar("T")

SHARE_OF_HOST, SHARE_OF_DEVICE = 0.5, 0.8
"""Shares of the free memory that are planned with: sizes are estimates, and a processor's memory is others' too."""

MOST_TOKENS = 2**15  # a forward pass of more is no faster on any accelerator


def usable_bytes(device: torch.device) -> int:
    """Bytes to plan with on a device: a share of what is free, the unused part of what torch holds there included."""
    if device.type != "cuda":
        return int(SHARE_OF_HOST * psutil.virtual_memory().available)
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(SHARE_OF_DEVICE * (torch.cuda.mem_get_info(device)[0] + kept))


def contexts_at_once(usable: int, *, bytes_per_token: int, length: int) -> int:
    """Contexts of `length` tokens in a forward pass: a power of two, so that a little more or less is the same batch.

    Products of another shape round differently: two runs with equal batches give equal bytes.
    """
    tokens = min(MOST_TOKENS, usable // bytes_per_token)
    return 1 << max(0, (tokens // length).bit_length() - 1)


def forward_bytes(*, d_model: int, n_neurons: int, n_heads: int, length: int, itemsize: int) -> int:
    """Bytes of a token in a forward pass without gradients: one block's activations, and the statistics of the last.

    Residual stream, norm, queries, keys and values with their rotated copies; an MLP's input, output and their
    nonlinearity; scores of one row of attention, should they be made; four float64 arrays of activations.
    """
    return itemsize * (24 * d_model + 4 * n_neurons + 2 * n_heads * length) + 4 * 8 * n_neurons


class FittingBatches:
    """Runs passes; one that does not fit the memory begins again with half the contexts at a time.

    Parameters
    ----------
    size : int
        Contexts at a time to begin with.
    device : torch.device
    too_large : str
        What is said where one context is too much.

    Attributes
    ----------
    size : int
        Contexts at a time from here on.
    """

    def __init__(self, size: int, *, device: torch.device, too_large: str) -> None:
        self.size, self._device, self._too_large = size, device, too_large

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
            raise MemoryError(self._too_large)
        self.size = (self.size + 1) // 2
        print(f"out of memory on {self._device}: {self.size} contexts at a time from here on", file=sys.stderr)
