"""Exact influence of attention heads and of whole sublayers: each replaced by its mean, later blocks run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from rare_neurons.errors import DataFault
from rare_neurons.models.allocation.contexts import Batch, batches_of, choose_contexts, fitting_batches
from rare_neurons.models.layers.blocks import Blocks, Trace, full_precision_products
from rare_neurons.models.layers.losses import LossReadout, TargetLosses, require_full_precision
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.layers.clustered import clustered_mean

Progress = Callable[[str, int, int], None]
Columns = dict[str, Sequence[object]]
BATCH_TOKENS = 4096  # tokens of a pass, copies of contexts included, unless a batch size is given


@dataclass(frozen=True, kw_only=True)
class HeadOptions:
    """How heads and sublayers are ablated.

    Attributes
    ----------
    strata : tuple of str
        Strata of targets.
    contexts : int or None
        Contexts of the panel, spread evenly over the document folds; None: all.
    batch_size : int or None
        Contexts of one pass, each ablated component's copy counted; None: about 4,096 tokens.
    """

    strata: tuple[str, ...]
    contexts: int | None
    batch_size: int | None


@dataclass(frozen=True)
class Component:
    """What is ablated: the module whose input is edited, and which entries of it."""

    layer: int
    name: str
    head: int | None
    module: torch.nn.Module
    entries: slice


def measure_heads(
    model: PreTrainedModel, panel: PanelArrays, options: HeadOptions, progress: Progress | None = None
) -> Columns:
    """Ablate every head, attention sublayer and MLP sublayer exactly, one at a time.

    What enters `W_O` from a head (from all heads; what enters `W_out` from all neurons) is replaced by its mean over
    the eligible natural positions of the chosen contexts, at all positions; the influence is the mean change of the
    losses of each stratum's targets. Costs `n_heads + 2` passes from each layer on.

    Returns
    -------
    dict
        Columns of `numerics.layers.head_rows.HeadRow`.

    Raises
    ------
    RequestError
        For half precision, an unsupported family, or a panel that does not fit.
    DataFault
        If losses are not finite.
    """
    panel.check()
    require_full_precision(model, "heads")
    chosen = choose_contexts(panel, options.contexts, options.strata)
    n_contexts, length = chosen.token_ids.shape
    start = min(options.batch_size or max(1, BATCH_TOKENS // length), n_contexts)
    with full_precision_products(), torch.no_grad():
        batches = fitting_batches(start, device=model.device, length=length)
        return batches.run(lambda size: _Ablations(model, chosen, size).columns(options.strata, progress))


class _Ablations:
    """A model's components, the batches of a panel, and the components' means over them."""

    def __init__(self, model: PreTrainedModel, panel: PanelArrays, size: int) -> None:
        self.panel, self.size, self.device = panel, size, model.device
        self.blocks = Blocks(model)
        self.components = _components(model, self.blocks)
        self.readout = LossReadout(model, panel.vocab_stratum, n_strata=len(panel.strata))
        self.batches = batches_of(panel, size)
        self.means = self._means()

    def columns(self, strata: Sequence[str], progress: Progress | None) -> Columns:
        """Measure all and make columns of it."""
        changes = self._changes(progress)
        if not np.isfinite(changes).all():
            raise DataFault("losses of the panel's targets are not finite, with a head or sublayer ablated or without")
        rows = [row for name in strata for row in self._rows(changes, name)]
        return {column: [row[column] for row in rows] for column in rows[0]}

    def _means(self) -> dict[torch.nn.Module, torch.Tensor]:
        """Mean input of each edited module over eligible natural positions, float64 sums."""
        modules = {component.module for component in self.components}
        sums: dict[torch.nn.Module, torch.Tensor] = {}
        natural = slice(self.panel.min_position, self.panel.token_ids.shape[1] - 1)
        n = 0
        for batch in self.batches:
            shape = batch.token_ids.shape

            def add(module: torch.nn.Module, args: tuple[torch.Tensor, ...], shape: torch.Size = shape) -> None:
                total = args[0].reshape(*shape, -1)[:, natural].sum((0, 1), dtype=torch.float64)
                sums[module] = sums[module] + total if module in sums else total

            with _hooked(modules, add):
                self.blocks.run(batch.token_ids)
            n += shape[0] * (natural.stop - natural.start)
        return {module: total / n for module, total in sums.items()}

    def _changes(self, progress: Progress | None) -> np.ndarray:
        """Change of each target's losses `[component, part, target]`."""
        changes = np.empty((len(self.components), 2, len(self.panel.context)))
        for done, batch in enumerate(self.batches, 1):
            trace = self.blocks.trace(batch.token_ids)
            base = self._losses(trace.final[None], batch)
            per_pass = max(1, self.size // len(batch.token_ids))
            for layer in range(len(self.blocks)):
                mine = [k for k, component in enumerate(self.components) if component.layer == layer]
                for start in range(0, len(mine), per_pass):
                    some = mine[start : start + per_pass]
                    for k, losses in zip(some, self._ablated(batch, trace, some), strict=True):
                        changes[k][:, batch.rows] = losses - base[0]
            if progress is not None:
                progress("heads", done, len(self.batches))
        return changes

    def _ablated(self, batch: Batch, trace: Trace, which: Sequence[int]) -> np.ndarray:
        """Losses `[component, part, target]` with each of some components of one layer ablated."""
        components = [self.components[k] for k in which]
        layer, n_contexts = components[0].layer, len(batch.token_ids)

        def edit(module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            x = args[0].reshape(len(components), n_contexts, *batch.token_ids.shape[1:], -1).clone()
            for copy, component in enumerate(components):
                if component.module is module:
                    x[copy, ..., component.entries] = self.means[module][component.entries].to(x)
            return (x.reshape(args[0].shape), *args[1:])

        residual = trace.inputs[layer].expand(len(components), *trace.inputs[layer].shape)
        with _hooked({component.module for component in components}, edit):
            final = self.blocks.run_from(layer, residual, trace)
        return self._losses(final, batch)

    def _losses(self, final: torch.Tensor, batch: Batch) -> np.ndarray:
        """Both losses `[copy, part, target]` in float64, from `[copy, context, pos, d_model]`."""
        at = final[:, batch.context.to(final.device), batch.position.to(final.device)]
        found: list[TargetLosses] = [self.readout.losses(copy, batch.target_id) for copy in at]
        return np.stack([torch.stack([one.whole, one.within]).double().cpu().numpy() for one in found])

    def _rows(self, changes: np.ndarray, stratum: str) -> Iterator[dict[str, object]]:
        """Rows of a stratum."""
        mine = self.panel.stratum == self.panel.strata.index(stratum)
        labels = {"document": self.panel.document[mine], "target_type": self.panel.target_id[mine]}
        (whole, whole_se), (within, within_se) = (
            clustered_mean(np.moveaxis(changes[:, part][:, mine], 0, 1), **labels) for part in (0, 1)
        )
        # One document or type leaves its own clusters without a variance.
        few = bool(np.isnan(whole_se).any())
        reason = "its targets come from fewer than two documents or types; raise the number of contexts"
        for k, component in enumerate(self.components):
            yield {
                "layer": component.layer,
                "component": component.name,
                "head": component.head,
                "stratum": stratum,
                "n_targets": int(mine.sum()),
                "influence": None if few else float(whole[k]),
                "influence_se": None if few else float(whole_se[k]),
                "influence_within": None if few else float(within[k]),
                "influence_within_se": None if few else float(within_se[k]),
                "status": "too_few" if few else "ok",
                "reason": reason if few else None,
            }


def _components(model: PreTrainedModel, blocks: Blocks) -> list[Component]:
    """Every layer's heads, then its two sublayers."""
    found = []
    for layer in range(len(blocks)):
        w_o = model.get_submodule(blocks.family.block_module(layer, "W_O"))
        n_heads = int(model.config.num_attention_heads)
        width = w_o.weight.numel() // int(model.config.hidden_size) // n_heads
        for head in range(n_heads):
            found.append(Component(layer, "head", head, w_o, slice(head * width, (head + 1) * width)))
        found.append(Component(layer, "attention", None, w_o, slice(None)))
        found.append(Component(layer, "mlp", None, blocks.w_out[layer], slice(None)))
    return found


@contextmanager
def _hooked(modules: set[torch.nn.Module], hook: Callable[..., object]) -> Iterator[None]:
    """Put a hook before some modules; it is gone afterwards."""
    handles = [module.register_forward_pre_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
