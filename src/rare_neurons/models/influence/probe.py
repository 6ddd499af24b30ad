"""Influence of every final-layer neuron on a panel: one forward pass, then an engine (docs/methods/influence.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from rare_neurons.errors import DataFault
from rare_neurons.families import family_of
from rare_neurons.models.forward import Captured, run_panel
from rare_neurons.models.influence.inputs import EngineSettings, PassInputs
from rare_neurons.models.influence.panel_pass import measure_panel
from rare_neurons.models.influence.tokens import make_unigram
from rare_neurons.models.memory import FittingBatches, contexts_at_once, forward_bytes, usable_bytes
from rare_neurons.models.panel_arrays import PanelArrays, sort_vocabulary
from rare_neurons.models.readout import final_block, read_out, w_out_module
from rare_neurons.models.recorders.behaviour import BehaviourRows
from rare_neurons.models.recorders.gradients import ResidualGradients

__all__ = ["EngineSettings", "PanelArrays", "ProbeResult", "probe_model"]

Progress = Callable[[str, int, int], None]
BATCH_TOKENS = 4096  # tokens per forward pass unless a batch size is given


@dataclass(frozen=True)
class ProbeResult:
    """What one checkpoint does on a panel; NumPy arrays, float64 unless counts.

    `[stratum, neuron]`: `influence` and the columns beside it (results/README.md). `[stratum]`: `n_targets`, `n_types`.
    Sums over the targets of a cell of the grid: `cell_n` `[stratum, fold, bin]`, `cell_influence_sum`,
    `cell_within_sum` `[stratum, fold, bin, neuron]`. Of each placebo `[draw, stratum, fold, bin]`:
    `placebo_within_sum`, the mean over neurons of the cell sums of its within part, and `placebo_within_pairs`, that of
    `numerics.grid.moments.disjoint_products` of them.
    `[neuron]`: `activation_mean`, `activation_variance` over eligible natural positions. `behaviour`: per
    quantity of `recorders.behaviour` its values `[target]`, nats. `residual_gradient` `[stratum, d_model]`: mean
    gradient of the loss with respect to the final residual stream.
    """

    influence: np.ndarray
    influence_se: np.ndarray
    influence_a: np.ndarray
    influence_b: np.ndarray
    abs_influence: np.ndarray
    direct_influence: np.ndarray
    abs_direct_influence: np.ndarray
    influence_within: np.ndarray
    influence_within_se: np.ndarray
    influence_within_a: np.ndarray
    influence_within_b: np.ndarray
    influence_expected: np.ndarray
    truncation_bound: np.ndarray
    rounding_bound: np.ndarray
    exact_fraction: np.ndarray
    n_targets: np.ndarray
    n_types: np.ndarray
    cell_n: np.ndarray
    cell_influence_sum: np.ndarray
    cell_within_sum: np.ndarray
    placebo_within_sum: np.ndarray
    placebo_within_pairs: np.ndarray
    activation_mean: np.ndarray
    activation_variance: np.ndarray
    behaviour: Mapping[str, np.ndarray]
    residual_gradient: np.ndarray


def probe_model(
    model: PreTrainedModel,
    panel: PanelArrays,
    settings: EngineSettings,
    *,
    batch_size: int | None = None,
    tf32: bool = False,
    progress: Progress | None = None,
) -> ProbeResult:
    """Measure the influence of every final-layer neuron on each stratum of a panel.

    Parameters
    ----------
    settings : EngineSettings
        The engine, its tolerance and memory, and the placebos.
    batch_size : int, optional
        Contexts per forward pass; by default about 4,096 tokens, on an accelerator what its free memory holds.
    tf32 : bool
        Whether the forward pass, and nothing else, may multiply in TF32 on a CUDA device.
    progress : callable, optional
        Called as `progress(what, done, total)`.

    Raises
    ------
    RequestError
        For an unsupported family, a panel that contradicts itself, or one of another tokenizer.
    DataFault
        If the network's outputs on the panel are not finite.
    """
    panel.check()
    inputs = _inputs(model, panel, lambda: _forward(model, panel, batch_size, tf32, progress))
    behaviour, gradients = BehaviourRows(len(panel.context)), ResidualGradients(panel, inputs.readout)
    columns = measure_panel(
        inputs,
        settings,
        recorders=(behaviour, gradients),
        progress=None if progress is None else lambda done, total: progress("engine", done, total),
    )
    strata = range(len(panel.strata))
    return ProbeResult(
        **columns,
        behaviour=behaviour.finish(),
        residual_gradient=gradients.finish(),
        n_targets=np.bincount(panel.stratum, minlength=len(panel.strata)),
        n_types=np.array([len(np.unique(panel.target_id[panel.stratum == s])) for s in strata]),
        activation_mean=inputs.captured.activation_mean.numpy(),
        activation_variance=inputs.captured.activation_variance.numpy(),
    )


def _inputs(model: PreTrainedModel, panel: PanelArrays, forward: Callable[[], Captured]) -> PassInputs:
    """Check that panel and model fit, run the network, and read its last two maps."""
    family_of(model.config.to_dict())
    n_vocab = len(model.get_output_embeddings().weight)
    vocabulary = sort_vocabulary(panel.vocab_stratum, n_strata=len(panel.strata), n_vocab=n_vocab)
    weights = panel.natural_weights()
    captured = forward()
    unigram = make_unigram(panel.log_unigram, vocabulary, model.device)
    return PassInputs(
        panel=panel,
        vocabulary=vocabulary,
        unigram=unigram,
        weights=torch.from_numpy(weights),
        captured=captured,
        readout=read_out(model, vocab_order=vocabulary.order, centre_weights=unigram.q),
        block=final_block(model),
    )


def _contexts_at_once(model: PreTrainedModel, length: int) -> int:
    """Contexts per forward pass where nobody says how many."""
    if model.device.type == "cpu":
        return max(1, BATCH_TOKENS // length)
    W_out = model.get_submodule(w_out_module(model, family_of(model.config.to_dict()))).weight
    sizes = {"d_model": model.config.hidden_size, "n_heads": model.config.num_attention_heads}
    n_neurons = W_out.numel() // model.config.hidden_size
    per_token = forward_bytes(**sizes, n_neurons=n_neurons, length=length, itemsize=W_out.element_size())
    return contexts_at_once(usable_bytes(model.device), bytes_per_token=per_token, length=length)


def _forward(
    model: PreTrainedModel, panel: PanelArrays, batch_size: int | None, tf32: bool, progress: Progress | None
) -> Captured:
    """One pass over the panel; where the device's memory is too small, again with half the contexts at a time."""
    n_contexts, length = panel.token_ids.shape
    size = min(batch_size or _contexts_at_once(model, length), n_contexts)

    too_large = (
        f"one context of {length} tokens does not fit the memory of {model.device}; use a larger device, shorter "
        "contexts, or give probe.placement"
    )

    def forward(batch_size: int) -> Captured:
        return run_panel(
            model,
            torch.from_numpy(np.ascontiguousarray(panel.token_ids, dtype=np.int64)),
            context=torch.from_numpy(panel.context.astype(np.int64)),
            position=torch.from_numpy(panel.position.astype(np.int64)),
            min_position=panel.min_position,
            batch_size=batch_size,
            tf32=tf32,
            progress=None if progress is None else lambda done: progress("forward", done, n_contexts),
        )

    captured = FittingBatches(size, device=model.device, too_large=too_large).run(forward)
    finite = torch.isfinite(captured.residual).all() & torch.isfinite(captured.activation_mean).all()
    if not bool(finite):
        raise DataFault("the final residual stream or activations are not finite on the panel")
    return captured
