"""What ablating a set of final-layer neurons together does to the loss (docs/methods/organisation.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rare_neurons.models.influence.exact import Probabilities, log_mean_exp
from rare_neurons.models.readout import FinalBlock, Readout, measure_ablation

ABLATIONS = ("mean", "zero", "resample", "norm_matched")
"""What ablated neurons take: means; zero; values at another target; means, the final norm keeping its scale."""

AT_ONCE = 2**22  # logits in work at once: 32 MiB each of a few arrays in float64


@dataclass(frozen=True, eq=False)
class TargetStream:
    """Targets of one stratum, and the network from its final block's output on.

    Attributes
    ----------
    readout : Readout
        Vocabulary sorted by stratum.
    block : FinalBlock
    activations, residual : Tensor `[target, neuron]`, `[target, d_model]`
        After the nonlinearity of the final MLP, and before the final norm.
    mlp_output : Tensor `[target, d_model]` or None
        Before the post-norm, for blocks that have one.
    target : Tensor `[target]` int64
        Column of the target token.
    own : slice
        Columns of the targets' stratum.
    """

    readout: Readout
    block: FinalBlock
    activations: torch.Tensor
    residual: torch.Tensor
    mlp_output: torch.Tensor | None
    target: torch.Tensor
    own: slice

    def deltas(
        self, mean: torch.Tensor, *, donors: torch.Tensor, kinds: Sequence[str] = ABLATIONS
    ) -> dict[str, torch.Tensor]:
        """Change of every activation `[target, neuron]` for each kind of ablation.

        Parameters
        ----------
        mean : Tensor `[neuron]`
        donors : Tensor `[target]` int64
            Target that each target's resampled activations come from.
        kinds : sequence of str
            Among `ABLATIONS`.
        """
        a = self.activations
        made = {"mean": lambda: mean - a, "zero": lambda: -a, "resample": lambda: a[donors] - a}
        return {kind: made["mean" if kind == "norm_matched" else kind]() for kind in kinds}


@dataclass(frozen=True, eq=False)
class SetEffects:
    """Mean change of the loss over the targets for each set, nats: `total` and `within` the stratum `[set]`."""

    total: np.ndarray
    within: np.ndarray


def measure_sets(
    stream: TargetStream,
    delta: torch.Tensor,
    sets: Sequence[np.ndarray],
    *,
    freeze_norm: bool = False,
    dtype: torch.dtype = torch.float64,
) -> SetEffects:
    """Ablate each set of neurons as a whole, exactly.

    Parameters
    ----------
    stream : TargetStream
    delta : Tensor `[target, neuron]`
        Change of each activation (`TargetStream.deltas`).
    sets : sequence of int array
        Neurons of each set, of any sizes.
    freeze_norm : bool
        Whether the final norm keeps the scale that it has without ablation.
    dtype : torch.dtype
        Of the products over the vocabulary: float32 takes a third of the time and errs by some 1e-7 nats.

    Returns
    -------
    SetEffects

    Notes
    -----
    With `r' = r + Σ δ_i w_i` and `c(·)` the centring of the final norm, the logits change by
    `f = (s' − s) z + s' A c(r' − r)`, `z = A c(r)`, and the loss by `log E_p[e^f] − f_y`. In the final block nothing
    else depends on the neurons, so this is the change of a forward pass with all of them ablated; with one neuron it is
    its influence. Per set 2 · target · d_model · vocab operations and as many exponentials as logits.
    """
    totals, withins = (torch.zeros(len(sets), dtype=torch.float64) for _ in range(2))
    n_targets = len(stream.target)
    for rows, base in blocks_of(stream, dtype):
        for k, neurons in enumerate(sets):
            index = torch.as_tensor(np.asarray(neurons), dtype=torch.int64, device=delta.device)
            shift = _residual_change(base, delta[rows][:, index].double(), index)
            total, within = _loss_change(base, shift, freeze_norm)
            totals[k] += total.sum().cpu() / n_targets
            withins[k] += within.sum().cpu() / n_targets
    return SetEffects(totals.numpy(), withins.numpy())


def measure_singles(
    stream: TargetStream, delta: torch.Tensor, neurons: Sequence[int], *, dtype: torch.dtype = torch.float64
) -> np.ndarray:
    """Mean change of the loss when one neuron is ablated, for some of them; NaN for the others, `[neuron]` nats."""
    found = np.full(delta.shape[1], np.nan)
    found[np.asarray(neurons)] = measure_pairs(stream, delta, neurons, dtype=dtype).mean(0)
    return found


def measure_pairs(
    stream: TargetStream, delta: torch.Tensor, neurons: Sequence[int], *, dtype: torch.dtype = torch.float64
) -> np.ndarray:
    """Change of the loss of every target when one neuron is ablated, `[target, one of the neurons]` nats.

    As `measure_sets` with sets of one, without its product over the vocabulary for each.
    """
    found = torch.empty(len(stream.target), len(neurons), dtype=torch.float64)
    index = torch.as_tensor(np.asarray(neurons), dtype=torch.int64)
    block, norm = stream.block, stream.readout.norm
    some = FinalBlock(block.W_out[index], block.post_norm, block.post_weight)
    W_hat = some.W_out if block.post_norm is None else some.W_out * block.post_weight
    for rows, base in blocks_of(stream, dtype):
        residual = {"residual": stream.residual[rows].double(), "mlp_output": base.mlp_output}
        ablation = measure_ablation(norm, some, delta=delta[rows][:, index].double(), **residual)
        eta, epsilon = ablation.eta.to(dtype), ablation.epsilon.to(dtype)
        kappa, post = None, None
        if base.mlp_output is not None:
            kappa, post = ablation.kappa.to(dtype), _in_logits(stream, base.mlp_output * block.post_weight).to(dtype)
        for k, w in enumerate(W_hat):
            f = torch.outer(eta[:, k], _in_logits(stream, w).to(dtype)).addcmul_(epsilon[:, k, None], base.z)
            if post is not None:
                f.addcmul_(kappa[:, k, None], post)
            found[rows, k] = _log_ratio(base, f)[0].cpu()
    return found.numpy()


@dataclass(frozen=True, eq=False)
class TargetBlock:
    """A block of targets without ablation, `[target, …]`; `p` and `z` in the dtype of the products."""

    stream: TargetStream
    mlp_output: torch.Tensor | None
    target: torch.Tensor
    c: torch.Tensor
    variance: torch.Tensor
    A: torch.Tensor
    z: torch.Tensor
    p: torch.Tensor
    log_p: torch.Tensor
    own_mass: torch.Tensor


def blocks_of(stream: TargetStream, dtype: torch.dtype) -> Iterator[tuple[slice, TargetBlock]]:
    """Yield the targets in blocks of a size that memory holds, with their rows."""
    readout = stream.readout
    A = readout.A.to(dtype)
    step = max(1, AT_ONCE // len(A))
    for start in range(0, len(stream.target), step):
        rows = slice(start, start + step)
        c = readout.norm.centre(stream.residual[rows].double())
        variance = readout.norm.variance((c * c).sum(-1, keepdim=True), c.shape[-1])
        z = c @ readout.A.T
        log_p = torch.log_softmax(variance.rsqrt() * z + readout.b, -1)
        p = log_p.exp()
        yield (
            rows,
            TargetBlock(
                stream,
                None if stream.mlp_output is None else stream.mlp_output[rows].double(),
                stream.target[rows],
                c,
                variance,
                A,
                z.to(dtype),
                p.to(dtype),
                log_p,
                p[:, stream.own].sum(-1),
            ),
        )


def _in_logits(stream: TargetStream, direction: torch.Tensor) -> torch.Tensor:
    """Map directions of the residual stream to logits, `A c(x)`, float64."""
    return stream.readout.norm.centre(direction) @ stream.readout.A.T


def _residual_change(base: TargetBlock, delta: torch.Tensor, neurons: torch.Tensor) -> torch.Tensor:
    """`r' − r` `[target, d_model]`; of post-norm blocks `n(m + Σ δ w) − n(m)`."""
    block = base.stream.block
    change = delta @ block.W_out[neurons]
    if block.post_norm is None:
        return change
    m, norm = base.mlp_output, block.post_norm
    before = norm.variance((m * m).sum(-1, keepdim=True), m.shape[-1])
    grown = (2 * m + change).mul(change).sum(-1, keepdim=True) / m.shape[-1]
    scale = norm.scale_change(before, change=grown)
    return (scale * m + (before.rsqrt() + scale) * change) * block.post_weight


def _loss_change(base: TargetBlock, shift: torch.Tensor, freeze_norm: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Change of the loss, whole and within the stratum, `[target]` float64."""
    norm = base.stream.readout.norm
    moved = norm.centre(shift)
    grown = (2 * base.c + moved).mul(moved).sum(-1, keepdim=True) / moved.shape[-1]
    epsilon = norm.scale_change(base.variance, change=torch.zeros_like(grown) if freeze_norm else grown)
    f = ((base.variance.rsqrt() + epsilon) * moved).to(base.A.dtype) @ base.A.T
    return _log_ratio(base, f.addcmul_(epsilon.to(f.dtype), base.z))


def _log_ratio(base: TargetBlock, f: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Change of the loss from that of the logits, whole and within the stratum."""
    ones = torch.ones(len(f), 2, dtype=torch.float64, device=f.device)
    distribution = Probabilities(base.p, base.stream.own, ones, base.own_mass, lambda far: base.log_p[far])
    whole, own = log_mean_exp(f, distribution)
    at_target = f.gather(-1, base.target[:, None])[:, 0].double()
    return whole - at_target, own - at_target
