"""Sizes of the blocks in which the vocabulary is worked through, and memory that is used again for each."""

from __future__ import annotations

import torch

VOCAB_BLOCK = 2048  # columns worked on at once: a few MB with 512 positions, so that elementwise passes stay in cache
GRADIENT_BLOCK = 256  # columns of a float32 partial sum of p A, where it is not taken in float64


class Scratch:
    """Memory for one block of columns, used again for each: fresh pages would cost more than the arithmetic."""

    def __init__(self, like: torch.Tensor, dtype: torch.dtype | None = None) -> None:
        size = len(like) * min(VOCAB_BLOCK, like.shape[1])
        self.memory = torch.empty(size, dtype=dtype or like.dtype, device=like.device)

    def __call__(self, shape: tuple[int, int]) -> torch.Tensor:
        """Return the beginning of the memory in this shape; what it held is overwritten."""
        return self.memory[: shape[0] * shape[1]].view(shape)
