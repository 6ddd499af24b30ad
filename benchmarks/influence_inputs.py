"""Synthetic final layers with peaked outputs, for measuring the influence engines without a trained model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from rare_neurons.models.forward import Captured
from rare_neurons.models.influence.inputs import EngineSettings, PassInputs
from rare_neurons.models.influence.panel_pass import SlabPass
from rare_neurons.models.influence.plan import make_plan
from rare_neurons.models.influence.tokens import make_unigram
from rare_neurons.models.panel_arrays import PanelArrays, sort_vocabulary
from rare_neurons.models.readout import FinalBlock, Norm, Readout
from rare_neurons.numerics.grid.folds import N_FOLDS


@dataclass(frozen=True)
class Shape:
    """Sizes of a final layer: vocabulary, width, neurons, and the depth and heads of the whole model."""

    vocab: int
    d_model: int
    neurons: int
    layers: int
    heads: int


SHAPES = {
    "70m": Shape(50304, 512, 2048, 6, 8),
    "160m": Shape(50304, 768, 3072, 12, 12),
    "410m": Shape(50304, 1024, 4096, 24, 16),
    "embedded": Shape(4096, 96, 384, 3, 4),
}
N_ENTROPY_NEURONS, N_QUIET_DIMENSIONS = 6, 8


def synthetic_inputs(
    shape: Shape, n_targets: int, *, seed: int, median_abs_influence: float, entropy: float = 4.1
) -> PassInputs:
    """A final layer whose outputs have the asked mean entropy (nats) and whose neurons the asked median influence.

    Zipfian unigram along one direction of the unembedding, Gaussian logits beside it; lognormal `W_out` norms; six
    entropy neurons that write into directions the unembedding hardly reads. Targets are drawn from the model itself,
    half from natural positions, so that rare targets exist.
    """
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    p = 1.0 / (np.arange(shape.vocab) + 2.7)
    log_unigram = np.log(p / p.sum())
    A0 = torch.randn(shape.vocab, shape.d_model, generator=generator, dtype=torch.float64) / shape.d_model**0.5
    A0[:, -N_QUIET_DIMENSIONS:] *= 0.01
    residual = torch.randn(n_targets, shape.d_model, generator=generator, dtype=torch.float64)
    residual[:, -N_QUIET_DIMENSIONS:] += 1.0
    residual[:, 0] = 3.0
    spread = _calibrated_spread(A0, residual[:64], torch.from_numpy(log_unigram), entropy)
    A = spread * A0
    A[:, 0] = torch.from_numpy(log_unigram) / 3.0
    vocab_stratum = np.digitize(np.cumsum(p / p.sum()), [0.5, 0.9])
    vocabulary = sort_vocabulary(vocab_stratum, n_strata=3, n_vocab=shape.vocab)
    unigram = make_unigram(log_unigram, vocabulary, torch.device("cpu"))
    A = A[vocabulary.order]
    A -= unigram.q @ A
    readout = Readout(Norm("layer_norm", 1e-5), A, torch.zeros(shape.vocab, dtype=torch.float64), False)
    panel = _panel(_draw_targets(readout, residual, generator), vocab_stratum, vocabulary, log_unigram, rng)
    captured = _activations(residual, shape.neurons, generator)
    block = FinalBlock(_directions(shape, generator), None, None)
    inputs = PassInputs(panel, vocabulary, unigram, torch.ones(n_targets).double(), captured, readout, block)
    return _calibrate_influence(inputs, median_abs_influence)


def _logits(A: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.layer_norm(residual, residual.shape[-1:]) @ A.T


def _calibrated_spread(A0, residual, log_unigram, entropy: float) -> float:
    low, high = 0.1, 8.0
    normed = torch.nn.functional.layer_norm(residual, residual.shape[-1:])
    context = normed[:, 1:] @ A0[:, 1:].T
    for _ in range(20):
        middle = (low + high) / 2
        log_p = torch.log_softmax(middle * context + normed[:, :1] / 3.0 * log_unigram, -1)
        mean = -(log_p.exp() * log_p).sum(-1).mean()
        low, high = (middle, high) if mean > entropy else (low, middle)
    return middle


def _draw_targets(readout: Readout, residual: torch.Tensor, generator) -> torch.Tensor:
    """One target column per position, from the model's own distribution."""
    columns = []
    for rows in residual.split(256):
        p = torch.softmax(_logits(readout.A, rows), -1)
        columns.append(torch.multinomial(p, 1, generator=generator)[:, 0])
    return torch.cat(columns)


def _panel(columns, vocab_stratum, vocabulary, log_unigram, rng) -> PanelArrays:
    target_id = vocabulary.order[columns].numpy()
    n, per_context = len(target_id), 16
    context = np.arange(n) // per_context
    n_contexts = int(context.max()) + 1
    return PanelArrays(
        token_ids=np.zeros((n_contexts, per_context + 1), dtype=np.int64),
        fold=rng.integers(0, N_FOLDS, n_contexts),
        context=context,
        position=np.arange(n) % per_context,
        target_id=target_id,
        document=context,
        type_bin=target_id % N_FOLDS,
        stratum=vocab_stratum[target_id],
        strata=("common", "mid", "rare"),
        vocab_stratum=vocab_stratum,
        log_unigram=log_unigram,
        min_position=0,
    )


def _activations(residual: torch.Tensor, n_neurons: int, generator) -> Captured:
    pre = torch.randn(len(residual), n_neurons, generator=generator) * 1.5 - 1.0
    activations = torch.nn.functional.gelu(pre)
    mean = activations.double().mean(0)
    return Captured(activations, residual.float(), None, mean, activations.double().var(0, unbiased=False))


def _directions(shape: Shape, generator) -> torch.Tensor:
    """`W_out` `[neuron, d_model]`: lognormal norms (sigma 0.7), random directions; the first few entropy neurons."""
    W = torch.randn(shape.neurons, shape.d_model, generator=generator, dtype=torch.float64)
    W *= torch.exp(0.7 * torch.randn(shape.neurons, 1, generator=generator, dtype=torch.float64))
    W[:N_ENTROPY_NEURONS, :-N_QUIET_DIMENSIONS] = 0
    W[:N_ENTROPY_NEURONS, -N_QUIET_DIMENSIONS:] = 8.0 * (shape.d_model / 512) ** 0.5
    return W / shape.d_model**0.5


def _calibrate_influence(inputs: PassInputs, median: float) -> PassInputs:
    """Scale ordinary neurons' `W_out` until a sample of positions has the asked median abs_influence."""
    W, few = inputs.block.W_out, 48
    ordinary = slice(N_ENTROPY_NEURONS, N_ENTROPY_NEURONS + 64)
    of_target = ("context", "position", "target_id", "document", "type_bin", "stratum")
    panel = replace(inputs.panel, **{k: getattr(inputs.panel, k)[:few] for k in of_target})
    settings = EngineSettings(engine="exact", tolerance=0.0, tolerance_se=0.0, memory_gb=8.0)
    factor = 1.0
    for _ in range(3):
        captured = replace(
            inputs.captured,
            activations=inputs.captured.activations[:, ordinary],
            activation_mean=inputs.captured.activation_mean[ordinary],
        )
        block = replace(inputs.block, W_out=W[ordinary] * factor)
        trial = replace(inputs, panel=panel, block=block, captured=captured)
        one = SlabPass(trial, slice(0, len(block.W_out)), make_plan(trial, settings), settings)
        effects = torch.cat([one.measure(*place).effects.total for place in one.blocks()])
        factor *= median / float(effects.abs().mean(0).median())
    W_out = W * factor
    W_out[:N_ENTROPY_NEURONS] = W[:N_ENTROPY_NEURONS]
    return replace(inputs, block=replace(inputs.block, W_out=W_out))
