"""Sizes of the blocks in which the vocabulary is worked through, and memory that is used again for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

VOCAB_BLOCK, FEW_COLUMNS = 2048, 512
"""Columns worked on at once on a processor: 8 or 2 MB of float64 with 512 positions, the latter in a core's cache."""

FEW_NEURONS = 1024  # up to which fewer columns pay: sums over them are added up once for each block of columns

ROW_PIECE = 2**16  # numbers that elementwise passes over a block of columns take at a time: half a MB of float64

GRADIENT_BLOCK = 256  # columns of a float32 partial sum of p A, where it is not taken in float64


@dataclass(frozen=True)
class Chunks:
    """How much is worked on at once, and whether sums over rows must name their order.

    `columns` of the vocabulary are passed at once, `pairs` (position, neuron) enclosed, `elements` = pairs x vocabulary
    evaluated exactly. `parallel`: the device adds in any order where it is not told one.
    """

    columns: int
    pairs: int
    elements: int
    parallel: bool


# On a processor the two dozen passes over a chunk stay in cache (half a MB of exact pairs). An accelerator takes a
# block at a time: every chunk costs some 60 launches, of a few microseconds each.
CACHE = Chunks(columns=VOCAB_BLOCK, pairs=2**15, elements=2**17, parallel=False)
DEVICE = Chunks(columns=8192, pairs=2**40, elements=2**25, parallel=True)


def chunks_for(device: torch.device, n_neurons: int) -> Chunks:
    """Sizes that suit a device and a layer."""
    if device.type != "cpu":
        return DEVICE
    return CACHE if n_neurons > FEW_NEURONS else replace(CACHE, columns=FEW_COLUMNS)


def row_pieces(shape: tuple[int, int], chunks: Chunks) -> Iterator[slice]:
    """Rows of a block of columns, few enough that passes over them stay in a core's cache; on a device all of them."""
    step = shape[0] if chunks.parallel else max(1, ROW_PIECE // shape[1])
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


class Scratch:
    """Memory for one block of columns, used again for each: fresh pages would cost more than the arithmetic."""

    def __init__(self, like: torch.Tensor, dtype: torch.dtype | None = None, columns: int = VOCAB_BLOCK) -> None:
        size = len(like) * min(columns, like.shape[1])
        self.memory = torch.empty(size, dtype=dtype or like.dtype, device=like.device)

    def __call__(self, shape: tuple[int, int]) -> torch.Tensor:
        """Return the beginning of the memory in this shape; what it held is overwritten."""
        return self.memory[: shape[0] * shape[1]].view(shape)
