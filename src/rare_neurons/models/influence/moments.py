"""Moment products over the vocabulary: what the enclosure needs, with rounding bounds (docs/methods/influence.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb

import torch

from rare_neurons.models.influence.directions import UNIT_ROUNDOFF, Directions
from rare_neurons.models.influence.enclosure import Z_ORDER, GroupMoments
from rare_neurons.models.influence.scratch import CACHE, GRADIENT_BLOCK, VOCAB_BLOCK, Chunks, Scratch
from rare_neurons.models.influence.tokens import TokenBlock

OWN, REST = 0, 1
# Σ p A in float32 blocks: its rounding counts at first order, so its blocks are shorter; fused multiply-adds round. The
# blocks of VOCAB_BLOCK columns are added up in float32 too.
GRADIENT_SUM_32 = (GRADIENT_BLOCK + 8 + VOCAB_BLOCK // GRADIENT_BLOCK) * UNIT_ROUNDOFF[torch.float32]


def block_sum_32(columns: int) -> float:
    """Relative error of a float32 sum over a block of columns, each term from a few roundings, then float64.

    Higham 2002, eq. 3.5; twice, because accelerators truncate where processors round.
    """
    return 2 * (columns + 8) * UNIT_ROUNDOFF[torch.float32]


@dataclass(frozen=True)
class BlockMoments:
    """Moments of a block of positions for its own class and the rest, and the rounding they carry.

    `h = z − centre`; `factor` `[group, pos, 1]` turns sums of e into sums of p; `shift` `[pos, 1]` is the centre less
    the largest logit's z; `reach` `[pos, 1]`: sup |h| before re-centring, plus the shift; `root_mean_square`,
    `row_norm` `[group, pos, 1]`: √(Σ p (|h| + |shift|)²) before re-centring and √(Σ p |A|²). Float64: `sum_unit`
    `[pos, 1]` bounds the relative rounding of sums under p (log p included), `dot_unit` that of one dot product
    relative to its norms, `block_sum` that of a float32 sum over a block of columns.
    """

    groups: tuple[GroupMoments, GroupMoments]
    factor: torch.Tensor
    shift: torch.Tensor
    centre: torch.Tensor
    own_mass: torch.Tensor
    reach: torch.Tensor
    root_mean_square: torch.Tensor
    row_norm: torch.Tensor
    sum_unit: torch.Tensor
    dot_unit: float
    block_sum: float
    largest_row: float
    residual_norm: torch.Tensor

    def enclosed(self, groups: tuple[GroupMoments, GroupMoments], dtype: torch.dtype) -> BlockMoments:
        """Return what enclosures in `dtype` take of some neurons' `groups`, the own one's under p|own."""
        share = torch.stack([self.own_mass.sqrt(), torch.ones_like(self.own_mass)])
        per_position = ("own_mass", "centre", "reach", "sum_unit", "residual_norm")
        return replace(
            self,
            groups=(groups[OWN].rounded(dtype, mass=self.own_mass), groups[REST].rounded(dtype)),
            **{name: (getattr(self, name) / share).to(dtype) for name in ("root_mean_square", "row_norm")},
            **{name: getattr(self, name).to(dtype) for name in per_position},
        )


class MomentVisitor:
    """Sums the products of one block of positions during the pass over the vocabulary.

    Also keeps `h` (before re-centring) and `e` `[pos, vocab]` in float32 for exact pairs.
    """

    def __init__(
        self,
        directions: Directions,
        gradient_dtype: torch.dtype = torch.float64,
        chunks: Chunks = CACHE,
        *,
        enclosure_dtype: torch.dtype = torch.float64,
    ) -> None:
        self.directions, self.gradient_dtype, self.chunks = directions, gradient_dtype, chunks
        self.enclosure_dtype = enclosure_dtype
        self.block_sum = block_sum_32(chunks.columns)
        self._memory: dict[str, torch.Tensor] = {}

    def logits(self, like: torch.Tensor, n_vocab: int) -> torch.Tensor:
        """Return memory for z `[pos, vocab]`, for as many positions as `like` has."""
        return self._again("z", like, n_vocab, torch.float64)

    def _again(self, name: str, like: torch.Tensor, n_vocab: int, dtype: torch.dtype) -> torch.Tensor:
        """Return the memory of this name, as long as no block is larger than the ones before."""
        if name not in self._memory or len(self._memory[name]) < len(like):
            self._memory[name] = torch.empty(len(like), n_vocab, dtype=dtype, device=like.device)
        return self._memory[name][: len(like)]

    def start(self, z: torch.Tensor, *, reference: torch.Tensor, top: torch.Tensor) -> None:
        """Begin a block of positions: all z, the references of both groups, and the largest logit's z."""
        n_pos, n_neurons = len(z), len(self.directions.W)

        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(*shape, dtype=torch.float64, device=z.device)

        self.reference, self.top = reference, top
        self.h, self.e = (self._again(name, z, z.shape[1], torch.float32) for name in ("h", "e"))
        self.powers = zeros(2, n_pos, Z_ORDER + 1)
        # bfloat16 products are not worth eight bytes, whose passes would be a tenth of all time.
        kind = torch.float64 if self.directions.squares.dtype == torch.float32 else torch.float32
        self.squares = torch.zeros(2, n_pos, n_neurons, dtype=kind, device=z.device)
        self.visited: list[tuple[slice, int]] = []
        self.low, self.high, self.rows = zeros(2, n_pos) + torch.inf, zeros(2, n_pos) - torch.inf, zeros(2, n_pos)
        self.scratch = [Scratch(self.h, columns=self.chunks.columns) for _ in range(4)]
        self.difference = Scratch(self.h, torch.float64, self.chunks.columns)
        self.factor = Scratch(self.h, self.directions.squares.dtype, self.chunks.columns)

    def visit(self, columns: slice, group: int, *, e: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Add a block of columns of one group; returns e and A of it in float32 where Σ p A is taken of these."""
        self.visited.append((columns, group))
        e_32, factors = self.e[:, columns], self.directions.squares[:, columns]
        e_in_kind = e_32 if factors.dtype == torch.float32 else self.factor(e.shape).copy_(e_32)
        self.squares[group].add_(_large_product(e_in_kind, factors.T))
        return None if self.gradient_dtype == torch.float64 else (e_32, self.directions.A_32[columns])

    def visit_rows(self, rows: slice, columns: slice, group: int, *, e: torch.Tensor, z: torch.Tensor) -> None:
        """Keep `h` and `e` of some rows of a block, and add their powers, range and Σ e |A|²."""
        self.rows[group, rows].add_(e @ self.directions.row_squares[columns])
        # A difference that converts on its way takes twice as long.
        h = self.h[rows, columns].copy_(torch.sub(z, self.top[rows], out=self.difference(z.shape)))
        self._add_powers(self.powers[group, rows], h, self.e[rows, columns].copy_(e))
        torch.minimum(self.low[group, rows], h.amin(-1), out=self.low[group, rows])
        torch.maximum(self.high[group, rows], h.amax(-1), out=self.high[group, rows])

    def _add_powers(self, sums: torch.Tensor, h: torch.Tensor, e: torch.Tensor) -> None:
        """Σ e h^j for j = 2..6 into `sums` `[row, order]`; 0 and 1 come in float64 from the class sums."""
        eh, h2, h3, eh3 = (scratch(h.shape) for scratch in self.scratch)
        torch.mul(e, h, out=eh)
        sums[:, 2].add_(torch.linalg.vecdot(eh, h))
        torch.mul(h, h, out=h2)
        torch.mul(h2, h, out=h3)
        sums[:, 3].add_(torch.linalg.vecdot(eh, h2))
        sums[:, 4].add_(torch.linalg.vecdot(eh, h3))
        torch.mul(eh, h2, out=eh3)
        sums[:, 5].add_(torch.linalg.vecdot(eh3, h2))
        sums[:, 6].add_(torch.linalg.vecdot(eh3, h3))

    def finish(self, tokens: TokenBlock, class_U: torch.Tensor) -> BlockMoments:
        """Normalise, and move the origin of h from the top column's z to `E_p z`; `class_U` as in `project_classes`."""
        self.low, self.high = _beyond(self.low, -1.0), _beyond(self.high, 1.0)
        centre = tokens.class_z.sum(-1, keepdim=True)
        shift = centre - self.top
        factor = (self.reference - tokens.log_norm[:, None]).exp().T[..., None]
        powers = self.powers * factor
        groups = tuple(
            self._group(g, tokens, class_U=class_U, powers=powers[g], factor=factor[g], shift=shift)
            for g in (OWN, REST)
        )
        reach = torch.maximum(self.high.amax(0), -self.low.amin(0))
        n_vocab, d_model = self.h.shape[1], self.directions.W.shape[1]
        largest_row = float(self.directions.row_squares.max().sqrt())
        dot_unit = (d_model + 16) * UNIT_ROUNDOFF[torch.float64]
        logit_unit = dot_unit * tokens.scale * tokens.residual_norm * largest_row
        raw_square, mass = powers[..., 2, None].clamp_min(0), powers[..., 0, None]
        return BlockMoments(
            groups=groups,
            factor=factor,
            shift=shift,
            centre=centre,
            own_mass=tokens.class_log_p[:, tokens.own_class, None].exp(),
            reach=reach[:, None] + shift.abs(),
            root_mean_square=raw_square.sqrt() + shift.abs() * mass.sqrt(),
            row_norm=(self.rows[..., None] * factor).sqrt(),
            sum_unit=2 * n_vocab * UNIT_ROUNDOFF[torch.float64] + 4 * logit_unit,
            dot_unit=dot_unit,
            block_sum=self.block_sum,
            largest_row=largest_row,
            residual_norm=tokens.residual_norm,
        )

    def first_order(
        self, neurons: torch.Tensor | slice, moments: BlockMoments, groups: Sequence[int] = (OWN, REST)
    ) -> list[torch.Tensor]:
        """Σ p h U of some or all neurons for each group, `[pos, neuron]`; through A where they outnumber its width."""
        directions = self.directions
        n_neurons = len(directions.norms[neurons])
        few = n_neurons <= directions.A.shape[1]
        width = n_neurons if few else directions.A.shape[1]
        sums = torch.zeros(2, len(self.h), width, dtype=torch.float64, device=self.h.device)
        for columns, group in self.visited:
            if group not in groups:
                continue
            h = self.h[:, columns]
            eh = torch.mul(self.e[:, columns], h, out=self.scratch[0](h.shape))
            # add_, as everywhere in the pass: `sums[group] += x` would also copy the sums onto themselves.
            sums[group].add_(eh @ (directions.U[:, columns][neurons].T if few else directions.A_32[columns]))
        found = (sums[g] if few else sums[g] @ directions.W[neurons].T for g in groups)
        return [
            total.mul_(moments.factor[g]).addcmul_(moments.shift, moments.groups[g].U[:, neurons], value=-1)
            for g, total in zip(groups, found, strict=True)
        ]

    def _group(
        self,
        group: int,
        tokens: TokenBlock,
        *,
        class_U: torch.Tensor,
        powers: torch.Tensor,
        factor: torch.Tensor,
        shift: torch.Tensor,
    ) -> GroupMoments:
        """Moments of one group about the centre; completes orders 0 and 1 of `powers` in place."""
        members = [k for k in range(len(class_U)) if (k == tokens.own_class) == (group == OWN)]
        powers[:, 0] = tokens.class_log_p[:, members].exp().sum(-1)
        powers[:, 1] = tokens.class_z[:, members].sum(-1) - self.top[:, 0] * powers[:, 0]
        directions = self.directions
        parts = powers[:, 2].clamp_min(0) + shift[:, 0].square() * powers[:, 0]
        h = _recentre(powers, shift, self.block_sum)
        empty = not torch.isfinite(self.low[group]).all()
        zero = torch.zeros_like(directions.norms)
        return GroupMoments(
            h=h,
            h_square=(h[:, 2].clamp_min(0) + 2 * self.block_sum * parts)[:, None],
            h_low=torch.zeros_like(shift) if empty else (self.low[group][:, None] - shift),
            h_high=torch.zeros_like(shift) if empty else (self.high[group][:, None] - shift),
            U=class_U[members].sum(0),
            hU=None,
            UU=self.squares[group] * factor,
            U_low=zero if empty else directions.low[members].amin(0),
            U_high=zero if empty else directions.high[members].amax(0),
        )


def _beyond(values: torch.Tensor, sign: float) -> torch.Tensor:
    """Move values rounded to float32 down or up by more than they can be off."""
    slack = sign * 2 * UNIT_ROUNDOFF[torch.float32]
    return torch.where(values > 0, values * (1 + slack), values * (1 - slack))


def _large_product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """float32 partial sums also where a CUDA library would otherwise reduce splits in bfloat16."""
    if left.is_cuda and left.dtype == torch.bfloat16:
        return torch.mm(left, right, out_dtype=torch.float32)
    return left @ right


def _recentre(powers: torch.Tensor, shift: torch.Tensor, block_sum: float) -> torch.Tensor:
    """Moments about a moved origin: `Σ p (h − s)^j` from `Σ p h^i`, binomially.

    Orders 4 and 6 stand in bounds, so the float32 rounding of their parts is added, by
    `(|h| + |s|)^j <= 2^(j−1) (h^j + s^j)`.
    """
    columns, back = [], [(-shift[:, 0]) ** n for n in range(powers.shape[-1])]
    for j in range(powers.shape[-1]):
        terms = [comb(j, i) * back[j - i] * powers[:, i] for i in range(j + 1)]
        moment = torch.stack(terms).sum(0)
        if j in (4, Z_ORDER):
            parts = powers[:, j].clamp_min(0) + shift[:, 0] ** j * powers[:, 0]
            moment = moment.clamp_min(0) + block_sum * 2.0 ** (j - 1) * parts
        columns.append(moment)
    return torch.stack(columns, dim=-1)
