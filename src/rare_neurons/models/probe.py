"""Influence of every final-layer neuron on a panel: one forward pass, then an engine (METHODS §2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from transformers import PreTrainedModel

from rare_neurons.errors import DataFault, RequestError
from rare_neurons.families import family_of
from rare_neurons.models.accumulate import ExpectedSums, StratumSums
from rare_neurons.models.behaviour import BehaviourRows
from rare_neurons.models.exact import measure_exactly
from rare_neurons.models.forward import Captured, run_panel
from rare_neurons.models.panel_arrays import N_FOLDS, PanelArrays, SortedVocabulary, sort_vocabulary
from rare_neurons.models.readout import FinalBlock, Readout, final_block, measure_ablation, read_out
from rare_neurons.models.tokens import Unigram, make_unigram, read_tokens

__all__ = ["PanelArrays", "ProbeResult", "probe_model"]

Engine = Literal["certified", "exact"]


@dataclass(frozen=True)
class ProbeResult:
    """What one checkpoint does on a panel; NumPy arrays, float64 unless counts.

    `[stratum, neuron]`: `influence` and the columns beside it (ARCHITECTURE §3). `[stratum]`: `n_targets`, `n_types`.
    Fold sums: `fold_n` `[stratum, fold]`, `fold_influence_sum`, `fold_within_sum` `[stratum, fold, neuron]`.
    `[neuron]`: `activation_mean`, `activation_variance` over eligible natural positions. `[target]`: `loss`,
    `entropy`, `kl_model_to_unigram`, `kl_unigram_to_model`, nats. `residual_gradient` `[stratum, d_model]`: mean
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
    influence_expected: np.ndarray
    truncation_bound: np.ndarray
    rounding_bound: np.ndarray
    exact_fraction: np.ndarray
    n_targets: np.ndarray
    n_types: np.ndarray
    fold_n: np.ndarray
    fold_influence_sum: np.ndarray
    fold_within_sum: np.ndarray
    activation_mean: np.ndarray
    activation_variance: np.ndarray
    loss: np.ndarray
    entropy: np.ndarray
    kl_model_to_unigram: np.ndarray
    kl_unigram_to_model: np.ndarray
    residual_gradient: np.ndarray


def probe_model(
    model: PreTrainedModel,
    panel: PanelArrays,
    *,
    engine: Engine,
    tolerance: float,
    tolerance_se: float,
    memory_gb: float,
    batch_size: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> ProbeResult:
    """Measure the influence of every final-layer neuron on each stratum of a panel.

    Parameters
    ----------
    engine : {"certified", "exact"}
        Moment products with a certified error, or every pair in float64.
    tolerance, tolerance_se : float
        A neuron's mean is certified to `max(tolerance, tolerance_se * influence_se)` nats.
    memory_gb : float
        Working memory beside the weights, 10^9 bytes.
    batch_size : int, optional
        Contexts per forward pass; by default about 4,096 tokens.
    progress : callable, optional
        Called as `progress(what, done, total)`.

    Raises
    ------
    RequestError
        For an unknown engine, an unsupported family, or a panel of another tokenizer.
    DataFault
        If the network's outputs on the panel are not finite.
    """
    if engine not in ("certified", "exact"):
        raise RequestError(f"unknown engine {engine!r}; known: certified, exact")
    panel.check()
    family_of(model.config.to_dict())
    vocabulary = sort_vocabulary(panel.vocab_stratum, len(panel.strata), len(model.get_output_embeddings().weight))
    weights = panel.natural_weights()
    captured = _forward(model, panel, batch_size, progress)
    unigram = make_unigram(panel.log_unigram, vocabulary, model.device)
    readout, block = read_out(model, vocabulary.order, unigram.q), final_block(model)
    return _ExactProbe(panel, vocabulary, unigram, weights, captured, readout, block, memory_gb).run(progress)


def _forward(model: PreTrainedModel, panel: PanelArrays, batch_size: int | None, progress) -> Captured:
    n_contexts, length = panel.token_ids.shape
    captured = run_panel(
        model,
        torch.from_numpy(np.ascontiguousarray(panel.token_ids, dtype=np.int64)),
        torch.from_numpy(panel.context.astype(np.int64)),
        torch.from_numpy(panel.position.astype(np.int64)),
        min_position=panel.min_position,
        batch_size=batch_size or max(1, 4096 // length),
        progress=None if progress is None else lambda done: progress("forward", done, n_contexts),
    )
    finite = torch.isfinite(captured.residual).all() & torch.isfinite(captured.activation_mean).all()
    if not bool(finite):
        raise DataFault("the final residual stream or activations are not finite on the panel")
    return captured


class _ExactProbe:
    """The exact engine over a panel, block by block."""

    def __init__(
        self,
        panel: PanelArrays,
        vocabulary: SortedVocabulary,
        unigram: Unigram,
        weights: np.ndarray,
        captured: Captured,
        readout: Readout,
        block: FinalBlock,
        memory_gb: float,
    ) -> None:
        self.panel, self.vocabulary, self.captured = panel, vocabulary, captured
        self.readout, self.block, self.unigram = readout, block, unigram
        self.device = readout.A.device
        self.weights = torch.from_numpy(weights)
        self.n_neurons, self.memory = len(block.W_out), memory_gb * 1e9
        w_hat = block.W_out if block.post_weight is None else block.W_out * block.post_weight
        self.W = readout.norm.centre(w_hat)

    def run(self, progress) -> ProbeResult:
        panel, n_strata = self.panel, len(self.panel.strata)
        sums = [StratumSums(panel, s, self.n_neurons, self.device) for s in range(n_strata)]
        n_classes = len(self.vocabulary.slices)
        expected = ExpectedSums(
            torch.zeros(n_classes, self.n_neurons, dtype=torch.float64, device=self.device),
            torch.zeros(n_classes, dtype=torch.float64, device=self.device),
        )
        behaviour = BehaviourRows(panel, self.readout)
        U = self.W @ self.readout.A.T
        done = 0
        for stratum, own_class, rows in self.blocks():
            delta, residual, mlp_output, target = self.inputs(rows)
            ablation = measure_ablation(self.readout.norm, self.block, residual, delta, mlp_output)
            hat = None if mlp_output is None else mlp_output * self.block.post_weight
            tokens = read_tokens(self.readout, self.vocabulary, self.unigram, residual, target, own_class, hat)
            effects = measure_exactly(tokens, ablation, U, self.vocabulary.slices[own_class], own_class)
            sums[stratum].add(rows, effects)
            expected.add(self.weights[rows].to(self.device), tokens, ablation, effects, self.W)
            behaviour.add(rows, stratum, tokens, residual)
            done += len(rows)
            if progress is not None:
                progress("engine", done, len(panel.context))
        return self.result(sums, expected, behaviour)

    def inputs(self, rows: np.ndarray):
        """Float64 inputs of a block on the device: δ, residual, MLP output, target columns."""
        at = torch.from_numpy(rows)
        captured = self.captured
        delta = captured.activation_mean - captured.activations[at].double()
        mlp_output = None if captured.mlp_output is None else captured.mlp_output[at].double().to(self.device)
        target = self.vocabulary.column[torch.from_numpy(self.panel.target_id[rows].astype(np.int64))]
        return (
            delta.to(self.device),
            captured.residual[at].double().to(self.device),
            mlp_output,
            target.to(self.device),
        )

    def blocks(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Blocks of targets that share their stratum and the class of their target token, within the memory budget."""
        panel, n_vocab = self.panel, len(self.readout.A)
        own = self.vocabulary.class_of_column.numpy()[self.vocabulary.column.numpy()[panel.target_id]]
        fixed = 8 * n_vocab * (self.n_neurons + self.W.shape[1])
        per_row = 8 * (6 * n_vocab + 12 * self.n_neurons + len(self.vocabulary.slices) * self.W.shape[1])
        size = int(np.clip((self.memory - fixed) / per_row, 8, 512))
        for stratum in range(len(panel.strata)):
            for own_class in np.unique(own[panel.stratum == stratum]):
                rows = np.flatnonzero((panel.stratum == stratum) & (own == own_class))
                for start in range(0, len(rows), size):
                    yield stratum, int(own_class), rows[start : start + size]

    def result(self, sums: list[StratumSums], expected: ExpectedSums, behaviour: BehaviourRows) -> ProbeResult:
        """Assemble the result; strata without targets are NaN."""
        panel, n_strata = self.panel, len(self.panel.strata)
        finished = [s.finish() for s in sums]
        shapes = {"fold_n": (N_FOLDS,), **dict.fromkeys(("fold_influence_sum", "fold_within_sum"), (N_FOLDS, -1))}
        names = next(f for f in finished if f)
        columns = {}
        for name, sample in names.items():
            empty = np.zeros_like(sample) if name in shapes else np.full_like(sample, np.nan)
            columns[name] = np.stack([f.get(name, empty) for f in finished])
        return ProbeResult(
            **columns,
            **behaviour.finish(),
            influence_expected=expected.finish(n_strata),
            n_targets=np.bincount(panel.stratum, minlength=n_strata),
            n_types=np.array([len(np.unique(panel.target_id[panel.stratum == s])) for s in range(n_strata)]),
            activation_mean=self.captured.activation_mean.numpy(),
            activation_variance=self.captured.activation_variance.numpy(),
        )
