"""What an engine knows from the weights alone: every neuron's output direction, projected on the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rare_neurons.models.influence.scratch import VOCAB_BLOCK, Scratch, chunks_for, row_pieces
from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.readout import Readout

UNIT_ROUNDOFF = {torch.float64: 2.0**-53, torch.float32: 2.0**-24, torch.bfloat16: 2.0**-8}


@dataclass(frozen=True)
class Directions:
    """What depends on the weights alone.

    `A` of the readout; `W = c(w)` `[neuron, d_model]` float64 and its row norms; `U` `[neuron, vocab]` float32 (from
    float64 products); `squares` `[neuron, vocab]`, U² in the dtype of the large product; `low`, `high`
    `[class, neuron]`: range of U; `row_squares` `[vocab]`: |A|²; `A_32`: A in float32.
    """

    A: torch.Tensor
    A_32: torch.Tensor
    W: torch.Tensor
    norms: torch.Tensor
    U: torch.Tensor
    squares: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    row_squares: torch.Tensor


def prepare_directions(readout: Readout, W: torch.Tensor, slices: tuple[slice, ...], dtype: torch.dtype) -> Directions:
    """Project every neuron's output direction on the vocabulary, in float64, block by block."""
    n_vocab, n_neurons = len(readout.A), len(W)
    U = torch.empty(n_neurons, n_vocab, dtype=torch.float32, device=W.device)
    squares = torch.empty(n_neurons, n_vocab, dtype=dtype, device=W.device)
    low, high = (torch.zeros(len(slices), n_neurons, dtype=torch.float64, device=W.device) for _ in range(2))
    scratch, squared, chunks = Scratch(U, torch.float64), Scratch(U), chunks_for(W.device, n_neurons)
    for k, columns in enumerate(slices):
        for start in range(columns.start, columns.stop, VOCAB_BLOCK):
            block = slice(start, min(start + VOCAB_BLOCK, columns.stop))
            products = torch.mm(W, readout.A[block].T, out=scratch((n_neurons, block.stop - block.start)))
            first = start == columns.start
            for rows in row_pieces(products.shape, chunks):
                few = products[rows]
                small = U[rows, block].copy_(few)
                least, most = few.amin(1), few.amax(1)
                low[k, rows] = least if first else torch.minimum(low[k, rows], least)
                high[k, rows] = most if first else torch.maximum(high[k, rows], most)
                squares[rows, block] = torch.mul(small, small, out=squared(few.shape))
    A = readout.A
    return Directions(A, A.float(), W, W.norm(dim=-1), U, squares, low, high, A.square().sum(-1))


def project_classes(tokens: TokenBlock, W: torch.Tensor) -> torch.Tensor:
    """Σ p U of every class, `[class, pos, neuron]` float64, for `W = c(w)` `[neuron, d_model]`."""
    return tokens.class_A @ W.T
