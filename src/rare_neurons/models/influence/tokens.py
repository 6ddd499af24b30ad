"""What the engines know about a block of target positions: logits, class sums, behaviour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from rare_neurons.models.panel_arrays import SortedVocabulary
from rare_neurons.models.readout import Readout

VOCAB_BLOCK = 2048  # columns worked on at once: a few MB with 512 positions, so that elementwise passes stay in cache

GRADIENT_BLOCK = 256  # columns of a float32 partial sum of p A, where it is not taken in float64


class Scratch:
    """Memory for one block of columns, used again for each: fresh pages would cost more than the arithmetic."""

    def __init__(self, like: torch.Tensor, dtype: torch.dtype | None = None) -> None:
        size = len(like) * min(VOCAB_BLOCK, like.shape[1])
        self.memory = torch.empty(size, dtype=dtype or like.dtype, device=like.device)

    def __call__(self, shape: tuple[int, int]) -> torch.Tensor:
        return self.memory[: shape[0] * shape[1]].view(shape)


@dataclass(frozen=True)
class Unigram:
    """Training distribution over columns, conditioned on the ids it has: `q`, `log_q` (0 elsewhere), `seen` (0/1)."""

    q: torch.Tensor
    log_q: torch.Tensor
    seen: torch.Tensor


@dataclass(frozen=True)
class TokenBlock:
    """A block of positions, vocabulary sorted by stratum; all float64.

    `z = A c(r)` `[pos, vocab]`, `q = A c(m̂)` for post-norm blocks; `log_norm` log-sum-exp of the logits and `target`
    column of the target token `[pos]`; per class: `class_log_p` (log mass), `class_z`, `class_q` (Σ p z, Σ p q)
    `[pos, class]` and `class_A` (Σ p A) `[class, pos, d_model]`; `scale` and
    `residual_norm = |c(r)|` `[pos, 1]`; behaviour per position `[pos]`.
    """

    z: torch.Tensor
    q: torch.Tensor | None
    bias: torch.Tensor
    scale: torch.Tensor
    residual_norm: torch.Tensor
    log_norm: torch.Tensor
    target: torch.Tensor
    class_log_p: torch.Tensor
    class_z: torch.Tensor
    class_q: torch.Tensor | None
    class_A: torch.Tensor
    behaviour: dict[str, torch.Tensor]

    def log_p(self, rows: torch.Tensor | int | slice) -> torch.Tensor:
        """Log probabilities of some positions."""
        return self.z[rows] * self.scale[rows] + self.bias - self.log_norm[rows, None]


class Visitor(Protocol):
    """Adds further sums to the pass over the vocabulary, and says in which dtype Σ p A may be multiplied."""

    gradient_dtype: torch.dtype

    def logits(self, like: torch.Tensor, n_vocab: int) -> torch.Tensor:
        """Memory for z `[pos, vocab]`, valid until the next block: fresh pages would cost more than the arithmetic."""

    def start(self, z: torch.Tensor, scale: torch.Tensor, reference: torch.Tensor, top: torch.Tensor) -> None:
        """Before the pass: all z, and per position the references of own class and rest and the largest logit's z."""

    def visit(self, columns: slice, group: int, e: torch.Tensor, z: torch.Tensor, A: torch.Tensor) -> None:
        """One block of columns: `e = exp(logit − reference[group])` and `z` `[pos, block]`, `A` its rows."""


def make_unigram(log_unigram: np.ndarray, vocabulary: SortedVocabulary, device: torch.device) -> Unigram:
    """Sort a log-unigram `[vocab]` by column; ids beyond it, or of probability zero, are unseen."""
    padded = np.full(len(vocabulary.order), -np.inf)
    padded[: len(log_unigram)] = log_unigram
    log_q = torch.from_numpy(padded)[vocabulary.order].to(device)
    seen = torch.isfinite(log_q)
    log_q = torch.where(seen, log_q - torch.logsumexp(log_q, 0), 0.0)
    return Unigram(torch.where(seen, log_q.exp(), 0.0), log_q, seen.double())


def read_tokens(
    readout: Readout,
    vocabulary: SortedVocabulary,
    unigram: Unigram,
    residual: torch.Tensor,
    target: torch.Tensor,
    own_class: int,
    post_direction: torch.Tensor | None = None,
    visitor: Visitor | None = None,
) -> TokenBlock:
    """Logits and class sums at positions `[pos]` from their final residual `[pos, d_model]` (float64).

    Sums over the vocabulary are taken block by block and relative to the largest logit of their group (the targets'
    own class, and the rest), so that a class of little mass keeps its digits. `post_direction` is `m̂` `[pos, d_model]`
    for post-norm blocks.
    """
    c = readout.norm.centre(residual)
    scale = readout.norm.variance((c * c).sum(-1, keepdim=True), c.shape[-1]).rsqrt()
    n_vocab = len(readout.A)
    z = torch.empty(len(c), n_vocab, dtype=c.dtype, device=c.device) if visitor is None else visitor.logits(c, n_vocab)
    tops = _all_logits(readout, vocabulary, c, scale, z)
    q = None if post_direction is None else readout.norm.centre(post_direction) @ readout.A.T
    reference = _group_maxima(tops[0], own_class)
    if visitor is not None:
        best = tops[0].argmax(-1, keepdim=True)
        visitor.start(z, scale, reference, z.gather(-1, tops[1].gather(-1, best)))
    dtype = torch.float64 if visitor is None else visitor.gradient_dtype
    sums = _ClassSums(readout, unigram, len(vocabulary.slices), c, dtype)
    scratch, ez_scratch = Scratch(z), Scratch(z)
    for k, columns in column_blocks(vocabulary):
        group = 0 if k == own_class else 1
        zb, A = z[:, columns], readout.A[columns]
        e = scratch(zb.shape)
        torch.addcmul(-reference[:, group, None], zb, scale, out=e)
        e = e.add_(readout.b[columns]).exp_() if readout.has_bias else e.exp_()
        sums.add(k, columns, e, zb, A, ez_scratch(zb.shape), None if q is None else q[:, columns])
        if visitor is not None:
            visitor.visit(columns, group, e, zb, A)
    return sums.finish(z, q, scale, c.norm(dim=-1, keepdim=True), target, reference, own_class)


def column_blocks(vocabulary: SortedVocabulary) -> Iterator[tuple[int, slice]]:
    """Blocks of at most `VOCAB_BLOCK` columns, none across two classes: (class, columns)."""
    for k, columns in enumerate(vocabulary.slices):
        for start in range(columns.start, columns.stop, VOCAB_BLOCK):
            yield k, slice(start, min(start + VOCAB_BLOCK, columns.stop))


def _all_logits(readout: Readout, vocabulary: SortedVocabulary, c: torch.Tensor, scale: torch.Tensor, z: torch.Tensor):
    """Fill z `[pos, vocab]`; per class the largest logit and its column `[pos, class]`."""
    n_classes = len(vocabulary.slices)
    value = torch.full((len(c), n_classes), -torch.inf, dtype=c.dtype, device=c.device)
    column = torch.zeros(len(c), n_classes, dtype=torch.int64, device=c.device)
    scratch = Scratch(z)
    for k, columns in column_blocks(vocabulary):
        zb = torch.mm(c, readout.A[columns].T, out=scratch((len(c), columns.stop - columns.start)))
        z[:, columns] = zb
        logits = zb * scale + readout.b[columns] if readout.has_bias else zb  # one positive factor keeps the order
        top, at = logits.max(-1)
        top = top if readout.has_bias else top * scale[:, 0]
        larger = top > value[:, k]
        value[:, k] = torch.where(larger, top, value[:, k])
        column[:, k] = torch.where(larger, at + columns.start, column[:, k])
    return value, column


def _group_maxima(tops: torch.Tensor, own_class: int) -> torch.Tensor:
    """Largest logit of the own class and of all other classes `[pos, 2]`; an empty rest takes the own class's."""
    own = tops[:, own_class]
    others = torch.cat([tops[:, :own_class], tops[:, own_class + 1 :]], dim=-1)
    rest = others.amax(-1) if others.shape[-1] else own
    return torch.stack([own, torch.where(torch.isfinite(rest), rest, own)], dim=-1)


class _ClassSums:
    """Sums over the vocabulary that every engine needs, per class, relative to the group references."""

    def __init__(
        self, readout: Readout, unigram: Unigram, n_classes: int, c: torch.Tensor, gradient_dtype: torch.dtype
    ) -> None:
        self.readout, self.unigram, self.gradient_dtype = readout, unigram, gradient_dtype
        shape = c.shape
        self.cast = [
            torch.empty(size, dtype=gradient_dtype, device=c.device)
            for size in ((shape[0], VOCAB_BLOCK), (VOCAB_BLOCK, shape[1]))
        ]

        def zeros(*size: int) -> torch.Tensor:
            return torch.zeros(*size, dtype=torch.float64, device=readout.A.device)

        self.e, self.ez, self.eq = (zeros(n_classes, shape[0]) for _ in range(3))
        self.eA = zeros(n_classes, *shape)
        self.weights = torch.stack([unigram.seen, unigram.log_q, readout.b, unigram.seen * readout.b], dim=-1)
        self.skinny = zeros(n_classes, shape[0], self.weights.shape[-1])
        self.ez_seen = zeros(n_classes, shape[0])
        self.z_by_q = zeros(shape[0])
        self.post_norm = False

    def add(self, k: int, columns: slice, e, z, A, scratch, q) -> None:
        ez = torch.mul(e, z, out=scratch)
        self.e[k] += e.sum(-1)
        self.ez[k] += ez.sum(-1)
        self._add_gradient(k, e, A)
        self.skinny[k] += e @ self.weights[columns]
        self.ez_seen[k] += ez @ self.unigram.seen[columns]
        self.z_by_q += z @ self.unigram.q[columns]
        if q is not None:
            self.post_norm = True
            self.eq[k] += torch.mul(e, q, out=scratch).sum(-1)

    def _add_gradient(self, k: int, e: torch.Tensor, A: torch.Tensor) -> None:
        if self.gradient_dtype == torch.float64:
            self.eA[k] += e @ A
            return
        left, right = self.cast[0][:, : len(A)].copy_(e), self.cast[1][: len(A)].copy_(A)
        for start in range(0, len(A), GRADIENT_BLOCK):
            columns = slice(start, start + GRADIENT_BLOCK)
            self.eA[k] += left[:, columns] @ right[columns]

    def finish(self, z, q, scale, residual_norm, target, reference, own_class: int) -> TokenBlock:
        """Normalise the sums: each becomes an expectation under the model's distribution."""
        shift = torch.stack([reference[:, 0 if k == own_class else 1] for k in range(len(self.e))])
        log_mass = self.e.log() + shift
        log_norm = torch.logsumexp(log_mass, 0)
        factor = (shift - log_norm).exp()
        bias = self.readout.b
        expected = (self.skinny * factor[..., None]).sum(0)
        seen, ez = expected[:, 0], (self.ez * factor).sum(0)
        target_logit = z.gather(-1, target[:, None])[:, 0] * scale[:, 0] + bias[target]
        mean_logit_seen = (scale[:, 0] * (self.ez_seen * factor).sum(0) + expected[:, 3]) / seen
        log_norm_seen = log_norm + seen.log()
        unigram_logit = scale[:, 0] * self.z_by_q + self.unigram.q @ bias
        behaviour = {
            "loss": log_norm - target_logit,
            "entropy": log_norm - scale[:, 0] * ez - expected[:, 2],
            "kl_model_to_unigram": mean_logit_seen - log_norm_seen - expected[:, 1] / seen,
            "kl_unigram_to_model": self.unigram.q @ self.unigram.log_q - unigram_logit + log_norm_seen,
        }
        return TokenBlock(
            z=z,
            q=q,
            bias=bias,
            scale=scale,
            residual_norm=residual_norm,
            log_norm=log_norm,
            target=target,
            class_log_p=(log_mass - log_norm).T,
            class_z=(self.ez * factor).T,
            class_q=(self.eq * factor).T if self.post_norm else None,
            class_A=self.eA * factor[..., None],
            behaviour=behaviour,
        )


def residual_gradient(readout: Readout, tokens: TokenBlock, residual: torch.Tensor) -> torch.Tensor:
    """Gradient of each target's loss with respect to the final residual `[pos, d_model]`."""
    g = tokens.class_A.sum(0) - readout.A[tokens.target]
    c = readout.norm.centre(residual)
    if readout.norm.kind != "none":
        g = g - c * (c * g).sum(-1, keepdim=True) * tokens.scale**2 / c.shape[-1]
    return tokens.scale * readout.norm.centre(g)
