"""Effects within the targets' class to second order, for the pairs whose changes are small (docs/methods/influence.md).

`E e^x − 1 = E x + E x²/2 + E[x³ φ_3(x)]`, and `φ_3(x) <= (3 + e^x)/24`, so that with `S >= sup|x|` the last term is at
most `S (3 + e^S)/24 · E x²`. Half as many passes over the pairs as an enclosure takes, and one exponential for six.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rare_neurons.models.influence.moments import OWN, BlockMoments
from rare_neurons.models.influence.rounding import ENCLOSURE_32, RelativeErrors
from rare_neurons.models.readout import Ablation

_REMAINDER = (1 + 2.0**-12) / 24  # with room for the rounding of what it is multiplied by


@dataclass(frozen=True)
class SecondOrder:
    """What a block of positions needs for any ablation of its output directions, float32 under p|own.

    `[pos, neuron]`: `U`, `UU` = Σ p U², `hU` = 2 Σ p h U, `root_UU` >= √(Σ p U²), `size` = |w| √(Σ p |A|²), `U_y`.
    `[pos, 1]`: `h` = Σ p h, `hh` = Σ p h²/2, `root_hh` >= √(Σ p h²), `h_y`, `sup_h` >= |h|, `rms` that of
    `BlockMoments`, `unit` and `unit_h`: rounding relative to `|ε| rms + |η| size`, the latter to |ε| times that.
    `sup_U` `[neuron]` >= |U|. `square`: relative error of Σ p U².
    """

    U: torch.Tensor
    UU: torch.Tensor
    hU: torch.Tensor
    root_UU: torch.Tensor
    size: torch.Tensor
    U_y: torch.Tensor
    h: torch.Tensor
    hh: torch.Tensor
    root_hh: torch.Tensor
    h_y: torch.Tensor
    sup_h: torch.Tensor
    rms: torch.Tensor
    unit: torch.Tensor
    unit_h: torch.Tensor
    sup_U: torch.Tensor
    square: float

    @classmethod
    def of(
        cls,
        moments: BlockMoments,
        *,
        norms: torch.Tensor,
        U_y: torch.Tensor,
        h_y: torch.Tensor,
        relative: RelativeErrors,
    ) -> SecondOrder:
        """Prepare it from moments as enclosures in float32 take them, with Σ p h U; the rest in any dtype."""
        group, rms, row_norm = moments.groups[OWN], moments.root_mean_square[OWN], moments.row_norm[OWN]
        h_y, dots = h_y.float(), moments.dot_unit * moments.largest_row
        # The target's own rounding is relative to |η| |w| and to 4 |ε| |c(r)|.
        target = torch.maximum(dots / row_norm, 4 * dots * moments.residual_norm / rms)
        return cls(
            U=group.U,
            UU=group.UU,
            hU=2 * group.hU,
            root_UU=(group.UU * (1 + relative.square)).sqrt_().mul_(1 + 2.0**-20),
            size=norms.float() * row_norm,
            U_y=U_y.float(),
            h=group.h[:, 1:2].contiguous(),
            hh=group.h[:, 2:3] / 2,
            root_hh=group.h_square.sqrt() * (1 + 2.0**-20),
            h_y=h_y,
            sup_h=torch.maximum(torch.maximum(-group.h_low, group.h_high), h_y.abs()),
            rms=rms,
            unit=moments.sum_unit + relative.gradient + target,
            unit_h=2 * moments.block_sum * rms,
            sup_U=torch.maximum(-group.U_low, group.U_high),
            square=relative.square,
        )

    def estimate(self, ablation: Ablation, pairs: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Δ_within and a bound on its error `[pos, neuron]`, infinite where changes are too large; `pairs` at once."""
        found, bound = torch.empty_like(ablation.eta), torch.empty_like(ablation.eta)
        step = max(1, pairs // found.shape[1])
        for start in range(0, len(found), step):
            rows = slice(start, start + step)
            epsilon, eta = ablation.epsilon[rows].float(), ablation.eta[rows].float()
            mean = (epsilon * self.hh[rows]).add_(self.h[rows]).mul_(epsilon).addcmul_(eta, self.U[rows])
            mean.add_((eta * self.UU[rows]).addcmul_(epsilon, self.hU[rows]).mul_(eta), alpha=0.5)
            error = self._error(rows, epsilon.abs(), eta.abs())
            # The logarithm's slope; at least one, for what is no part of its argument.
            least = torch.sub(mean, error).add_(1.0).clamp_(max=1.0)
            error.div_(least).masked_fill_(~(least > 0), torch.inf)
            mean.log1p_().addcmul_(epsilon, self.h_y[rows], value=-1).addcmul_(eta, self.U_y[rows], value=-1)
            found[rows], bound[rows] = mean.nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0), error
        return found, bound

    def _error(self, rows: slice, epsilon: torch.Tensor, eta: torch.Tensor) -> torch.Tensor:
        """Bound on remainder and rounding, from |ε| and |η|."""
        sup = (epsilon * self.sup_h[rows]).addcmul_(eta, self.sup_U)
        spread = (epsilon * self.root_hh[rows]).addcmul_(eta, self.root_UU[rows])  # √(E x²) by Minkowski
        growth = torch.exp(sup).mul_(sup)
        error = sup.mul_(3.0).add_(growth).mul_(_REMAINDER).add_(0.5 * self.square).mul_(spread).mul_(spread)
        size = (epsilon * self.rms[rows]).addcmul_(eta, self.size[rows])
        error.addcmul_(size, epsilon.mul_(self.unit_h[rows]).add_(self.unit[rows]))
        return error.add_(growth, alpha=ENCLOSURE_32)
