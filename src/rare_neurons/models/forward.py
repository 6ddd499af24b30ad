"""One forward pass over the panel: activations and final residuals at the targets, kept in host memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from rare_neurons.families import family_of
from rare_neurons.models.readout import final_block_module, w_out_module


@dataclass(frozen=True)
class Captured:
    """What a forward pass leaves behind, in the model's dtype unless said otherwise.

    `activations` `[target, neuron]`, `residual` `[target, d_model]`, `mlp_output` `[target, d_model]` for post-norm
    blocks; `activation_mean` and `activation_variance` `[neuron]` float64 over all eligible natural positions.
    """

    activations: torch.Tensor
    residual: torch.Tensor
    mlp_output: torch.Tensor | None
    activation_mean: torch.Tensor
    activation_variance: torch.Tensor


@contextmanager
def _tapped(model: PreTrainedModel) -> Iterator[dict[str, torch.Tensor]]:
    """Record the input and output of the final `W_out` and the final residual; hooks are gone afterwards."""
    family = family_of(model.config.to_dict())
    kind = family.norm_kind(model.config.to_dict())
    seen: dict[str, torch.Tensor] = {}
    last = model.get_submodule(final_block_module(model, family))
    w_out = model.get_submodule(w_out_module(model, family))
    handles = []

    def keep_mlp(_module: torch.nn.Module, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        seen["activations"], seen["mlp_output"] = args[0].detach(), output.detach()

    def keep_residual(_module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        seen["residual"] = args[0].detach()

    def keep_block(
        _module: torch.nn.Module, _args: tuple[torch.Tensor, ...], output: torch.Tensor | tuple[torch.Tensor, ...]
    ) -> None:
        seen["residual"] = (output[0] if isinstance(output, tuple) else output).detach()

    try:
        handles.append(w_out.register_forward_hook(keep_mlp))
        if kind == "none":
            handles.append(last.register_forward_hook(keep_block))
        else:
            norm = model.get_submodule(family.module(family.final_norm))
            handles.append(norm.register_forward_pre_hook(keep_residual))
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def products_in_tf32(device: torch.device, asked: bool) -> Iterator[None]:
    """Let float32 products of a CUDA device be rounded to TF32 where that is asked for; as before afterwards."""
    before = torch.get_float32_matmul_precision()
    try:
        if asked and device.type == "cuda":
            torch.set_float32_matmul_precision("high")
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def run_panel(
    model: PreTrainedModel,
    token_ids: torch.Tensor,
    *,
    context: torch.Tensor,
    position: torch.Tensor,
    min_position: int,
    batch_size: int,
    tf32: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Captured:
    """Run all contexts once and keep what the targets need.

    Parameters
    ----------
    token_ids : Tensor `[context, pos]` int64
    context, position : Tensor `[target]` int64
        Input position of each target.
    tf32 : bool
        Whether a CUDA device may round the factors of its float32 products to ten bits.
    progress : callable, optional
        Called with the number of contexts done after each batch.
    """
    order = torch.argsort(context, stable=True)
    bounds = torch.searchsorted(context[order], torch.arange(len(token_ids) + 1))
    natural = slice(min_position, token_ids.shape[1] - 1)
    kept: dict[str, torch.Tensor] = {}
    moments = _Moments()
    with torch.inference_mode(), products_in_tf32(model.device, tf32), _tapped(model) as seen:
        for start in range(0, len(token_ids), batch_size):
            stop = min(start + batch_size, len(token_ids))
            model.base_model(input_ids=token_ids[start:stop].to(model.device), use_cache=False)
            shape = (stop - start, token_ids.shape[1], -1)
            rows = order[bounds[start] : bounds[stop]]
            at = (context[rows] - start).to(model.device), position[rows].to(model.device)
            moments.add(seen["activations"].reshape(shape)[:, natural].flatten(0, 1))
            for name, value in seen.items():
                values = value.reshape(shape)[at].cpu()
                if name not in kept:
                    kept[name] = torch.empty(len(context), values.shape[-1], dtype=values.dtype)
                kept[name][rows] = values
            if progress is not None:
                progress(stop)
    post_norm = family_of(model.config.to_dict()).post_norm is not None
    return Captured(
        kept["activations"],
        kept["residual"],
        kept["mlp_output"] if post_norm else None,
        moments.mean.cpu(),
        (moments.squares / moments.n).cpu(),
    )


class _Moments:
    """Running mean and sum of squared deviations in float64 (Chan, Golub & LeVeque 1983, eq. 2.1)."""

    def __init__(self) -> None:
        self.n, self.mean, self.squares = 0, torch.zeros(()), torch.zeros(())

    def add(self, values: torch.Tensor) -> None:
        values = values.double()
        n, mean = len(values), values.mean(0)
        squares = (values - mean).square_().sum(0)
        shift = mean - self.mean.to(mean)
        total = self.n + n
        self.squares = self.squares.to(mean) + squares + shift.square() * (self.n * n / total)
        self.mean = self.mean.to(mean) + shift * (n / total)
        self.n = total
