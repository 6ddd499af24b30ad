"""The pass over the vocabulary for a block of positions: logits, then sums block by block, with room for a visitor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch

from rare_neurons.models.influence.class_sums import ClassSums
from rare_neurons.models.influence.scratch import CACHE, VOCAB_BLOCK, Chunks, Scratch, row_pieces
from rare_neurons.models.influence.tokens import TokenBlock, Unigram
from rare_neurons.models.panel_arrays import SortedVocabulary
from rare_neurons.models.readout import Readout


class Visitor(Protocol):
    """Adds further sums to the pass over the vocabulary; says in which dtype Σ p A may be taken and what at once."""

    gradient_dtype: torch.dtype
    chunks: Chunks

    def logits(self, like: torch.Tensor, n_vocab: int) -> torch.Tensor:
        """Memory for z `[pos, vocab]`, valid until the next block: fresh pages would cost more than the arithmetic."""

    def start(self, z: torch.Tensor, *, reference: torch.Tensor, top: torch.Tensor) -> None:
        """Before the pass: all z, and per position the references of own class and rest and the largest logit's z."""

    def visit_rows(self, rows: slice, columns: slice, group: int, *, e: torch.Tensor, z: torch.Tensor) -> None:
        """Take some rows of a block of columns: `e = exp(logit − reference[group])` and `z` `[row, block]`."""

    def visit(self, columns: slice, group: int, *, e: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
        """One block of columns, all of whose rows have been visited: `e` `[pos, block]`.

        Returns e and the rows of A in `gradient_dtype` where that is not float64.
        """


def read_tokens(
    readout: Readout,
    vocabulary: SortedVocabulary,
    unigram: Unigram,
    *,
    residual: torch.Tensor,
    target: torch.Tensor,
    own_class: int,
    post_direction: torch.Tensor | None = None,
    visitor: Visitor | None = None,
) -> TokenBlock:
    """Compute logits and class sums at positions `[pos]` from their final residual `[pos, d_model]` (float64).

    Sums over the vocabulary are taken block by block and relative to the largest logit of their group (the targets'
    own class, and the rest), so that a class of little mass keeps its digits. `post_direction` is `m̂` `[pos, d_model]`
    for post-norm blocks.
    """
    c = readout.norm.centre(residual)
    scale = readout.norm.variance((c * c).sum(-1, keepdim=True), c.shape[-1]).rsqrt()
    n_vocab = len(readout.A)
    z = torch.empty(len(c), n_vocab, dtype=c.dtype, device=c.device) if visitor is None else visitor.logits(c, n_vocab)
    chunks = CACHE if visitor is None else visitor.chunks
    tops = _all_logits(readout, vocabulary, c, scale, z, chunks)
    q = None if post_direction is None else readout.norm.centre(post_direction) @ readout.A.T
    reference = _group_maxima(tops[0], own_class)
    if visitor is not None:
        best = tops[0].argmax(-1, keepdim=True)
        visitor.start(z, reference=reference, top=z.gather(-1, tops[1].gather(-1, best)))
    sums = ClassSums(
        readout,
        unigram,
        n_classes=len(vocabulary.slices),
        shape=c.shape,
        gradient_dtype=torch.float64 if visitor is None else visitor.gradient_dtype,
        chunks=chunks,
    )
    scratch, ez_scratch = (Scratch(z, columns=chunks.columns) for _ in range(2))
    for k, columns in column_blocks(vocabulary, chunks.columns):
        group = 0 if k == own_class else 1
        zb, A = z[:, columns], readout.A[columns]
        e = scratch(zb.shape)
        for rows in row_pieces(zb.shape, chunks):  # all that reads them while they are in a core's cache
            z_rows = zb[rows]
            part = torch.addcmul(-reference[rows, group, None], z_rows, scale[rows], out=e[rows])
            (part.add_(readout.b[columns]) if readout.has_bias else part).exp_()
            q_rows = None if q is None else q[rows, columns]
            sums.add_rows(k, columns, rows, e=part, z=z_rows, q=q_rows, scratch=ez_scratch(z_rows.shape))
            if visitor is not None:
                visitor.visit_rows(rows, columns, group, e=part, z=z_rows)
        sums.add_gradient(k, e, A, None if visitor is None else visitor.visit(columns, group, e=e))
    return sums.finish(
        z=z,
        q=q,
        scale=scale,
        residual_norm=c.norm(dim=-1, keepdim=True),
        target=target,
        reference=reference,
        own_class=own_class,
    )


def column_blocks(vocabulary: SortedVocabulary, width: int = VOCAB_BLOCK) -> Iterator[tuple[int, slice]]:
    """Blocks of at most `width` columns, none across two classes: (class, columns)."""
    for k, columns in enumerate(vocabulary.slices):
        for start in range(columns.start, columns.stop, width):
            yield k, slice(start, min(start + width, columns.stop))


def _all_logits(
    readout: Readout,
    vocabulary: SortedVocabulary,
    c: torch.Tensor,
    scale: torch.Tensor,
    z: torch.Tensor,
    chunks: Chunks,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fill z `[pos, vocab]` by blocks of columns; per class the largest logit and its column `[pos, class]`."""
    n_classes = len(vocabulary.slices)
    value = torch.full((len(c), n_classes), -torch.inf, dtype=c.dtype, device=c.device)
    column = torch.zeros(len(c), n_classes, dtype=torch.int64, device=c.device)
    for k, columns in column_blocks(vocabulary, chunks.columns):
        zb = torch.mm(c, readout.A[columns].T, out=z[:, columns])  # in place: MKL takes a row stride
        for rows in row_pieces(zb.shape, chunks):
            z_rows, best = zb[rows], value[rows, k]
            logits = z_rows * scale[rows] if readout.has_bias else z_rows  # one positive factor keeps the order
            top, at = (logits.add_(readout.b[columns]) if readout.has_bias else logits).max(-1)
            top = top if readout.has_bias else top * scale[rows, 0]
            larger = top > best
            column[rows, k] = torch.where(larger, at + columns.start, column[rows, k])
            value[rows, k] = torch.where(larger, top, best)
    return value, column


def _group_maxima(tops: torch.Tensor, own_class: int) -> torch.Tensor:
    """Largest logit of the own class and of all other classes `[pos, 2]`; an empty rest takes the own class's."""
    own = tops[:, own_class]
    others = torch.cat([tops[:, :own_class], tops[:, own_class + 1 :]], dim=-1)
    rest = others.amax(-1) if others.shape[-1] else own
    return torch.stack([own, torch.where(torch.isfinite(rest), rest, own)], dim=-1)
