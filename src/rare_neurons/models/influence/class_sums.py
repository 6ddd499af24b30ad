"""Sums over the vocabulary that every engine needs, class by class, and the expectations they become."""

from __future__ import annotations

import torch

from rare_neurons.models.influence.scratch import CACHE, GRADIENT_BLOCK, Chunks
from rare_neurons.models.influence.tokens import Expectations, TokenBlock, Unigram
from rare_neurons.models.readout import Readout


class ClassSums:
    """Running sums per class of columns, relative to the references of the two groups (own class, and the rest)."""

    def __init__(
        self,
        readout: Readout,
        unigram: Unigram,
        *,
        n_classes: int,
        shape: torch.Size,
        gradient_dtype: torch.dtype,
        chunks: Chunks = CACHE,
    ) -> None:
        """Start from zero for a block of `shape` = (positions, d_model)."""
        self.batched = chunks.parallel  # Σ p A of all columns at once: a launch for each GRADIENT_BLOCK would be many
        self.readout, self.unigram, self.gradient_dtype = readout, unigram, gradient_dtype
        device = readout.A.device
        coarse = gradient_dtype != torch.float64
        self.partial = [torch.empty(shape if coarse else 0, dtype=gradient_dtype, device=device) for _ in range(2)]

        def zeros(*size: int) -> torch.Tensor:
            return torch.zeros(*size, dtype=torch.float64, device=device)

        self.eq = zeros(n_classes, shape[0])
        self.eA = zeros(n_classes, *shape)
        ones = torch.ones_like(unigram.seen)
        # One narrow product for all sums under e, another for those of e z: each pass over a block counts.
        weights = [ones, unigram.seen, unigram.log_q, readout.b, unigram.seen * readout.b]
        self.weights, self.z_weights = torch.stack(weights, dim=-1), torch.stack([ones, unigram.seen], dim=-1)
        self.skinny = zeros(n_classes, shape[0], self.weights.shape[-1])
        self.z_skinny = zeros(n_classes, shape[0], self.z_weights.shape[-1])
        self.z_by_q = zeros(shape[0])
        self.post_norm = False

    def add_rows(
        self,
        k: int,
        columns: slice,
        rows: slice,
        *,
        e: torch.Tensor,
        z: torch.Tensor,
        q: torch.Tensor | None,
        scratch: torch.Tensor,
    ) -> None:
        """Add some rows of a block of columns of class `k`: `e`, `z`, `q` `[row, block]`; `scratch` is written to."""
        self.skinny[k, rows].add_(e @ self.weights[columns])
        self.z_skinny[k, rows].add_(torch.mul(e, z, out=scratch) @ self.z_weights[columns])
        self.z_by_q[rows].add_(z @ self.unigram.q[columns])
        if q is not None:
            self.post_norm = True
            self.eq[k, rows].add_(torch.mul(e, q, out=scratch).sum(-1))

    def add_gradient(
        self, k: int, e: torch.Tensor, A: torch.Tensor, coarse: tuple[torch.Tensor, torch.Tensor] | None = None
    ) -> None:
        """Add all rows of such a block to Σ p A: `e` `[pos, block]`, `A` its rows.

        `coarse` has both in the dtype of the gradient, where that is not float64.
        """
        if self.gradient_dtype == torch.float64:
            self.eA[k].addmm_(e, A)
            return
        left, right = (e.to(self.gradient_dtype), A.to(self.gradient_dtype)) if coarse is None else coarse
        whole = len(A) // GRADIENT_BLOCK if self.batched else 0
        if whole:
            n = whole * GRADIENT_BLOCK
            parts = left[:, :n].unflatten(1, (whole, GRADIENT_BLOCK)).transpose(0, 1)
            parts = parts @ right[:n].unflatten(0, (whole, GRADIENT_BLOCK))
            self.eA[k].add_(parts.sum(0, dtype=torch.float64))
        total, part = self.partial
        starts = range(whole * GRADIENT_BLOCK, len(A), GRADIENT_BLOCK)
        for start in starts:
            columns = slice(start, start + GRADIENT_BLOCK)
            torch.mm(left[:, columns], right[columns], out=total if start == starts[0] else part)
            if start != starts[0]:
                total.add_(part)
        if starts:
            self.eA[k].add_(total)

    def finish(
        self,
        *,
        z: torch.Tensor,
        q: torch.Tensor | None,
        scale: torch.Tensor,
        residual_norm: torch.Tensor,
        target: torch.Tensor,
        reference: torch.Tensor,
        own_class: int,
    ) -> TokenBlock:
        """Normalise the sums: each becomes an expectation under the model's distribution."""
        shift = torch.stack([reference[:, 0 if k == own_class else 1] for k in range(len(self.eA))])
        log_mass = self.skinny[..., 0].log() + shift
        log_norm = torch.logsumexp(log_mass, 0)
        factor = (shift - log_norm).exp()
        return TokenBlock(
            z=z,
            q=q,
            bias=self.readout.b,
            scale=scale,
            residual_norm=residual_norm,
            log_norm=log_norm,
            target=target,
            own_class=own_class,
            class_log_p=(log_mass - log_norm).T,
            class_z=(self.z_skinny[..., 0] * factor).T,
            class_q=(self.eq * factor).T if self.post_norm else None,
            class_A=self.eA * factor[..., None],
            expected=self._expectations(factor, scale[:, 0]),
        )

    def _expectations(self, factor: torch.Tensor, scale: torch.Tensor) -> Expectations:
        _, seen, log_q, bias, seen_bias = (self.skinny * factor[..., None]).sum(0).unbind(-1)
        z, seen_z = (self.z_skinny * factor[..., None]).sum(0).unbind(-1)
        q = self.unigram.q
        return Expectations(
            z=z,
            bias=bias,
            seen=seen,
            log_q=log_q,
            seen_logit=(scale * seen_z + seen_bias) / seen,
            unigram_logit=scale * self.z_by_q + q @ self.readout.b,
            unigram_log_q=q @ self.unigram.log_q,
        )
