"""First order, second order by random signs and Gauss-Newton of all layers' neurons (docs/methods/layers.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from rare_neurons.models.layers.batch import Batch, PassSettings
from rare_neurons.models.layers.blocks import Blocks
from rare_neurons.models.layers.draws import Sample, TargetDraws, draw_targets
from rare_neurons.models.layers.last_layer import LastLayer
from rare_neurons.models.layers.losses import LossReadout
from rare_neurons.models.layers.taps import activation_sums
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.layers.sums import N_PARTS, EffectSums, RunningSums

Tick = Callable[[int], None] | None
FEW = 256
"""Neurons of a layer whose single-target effects are kept: what types share is a mean over neurons."""


@dataclass(frozen=True)
class SingleTargets:
    """First-order effects of single targets.

    Attributes
    ----------
    rows : ndarray of int, shape (drawn,)
        Rows of the sample.
    weight : ndarray, shape (drawn,)
        For how many targets each stands.
    neurons : ndarray of int, shape (few,)
        A seeded choice of every layer's neurons.
    few : ndarray of float32, shape (part, drawn, layer, few)
        Their effects, nats.
    mean_square : ndarray, shape (layer, neuron)
        Weighted mean of the squared effects on the whole loss, nats squared.
    """

    rows: np.ndarray
    weight: np.ndarray
    neurons: np.ndarray
    few: np.ndarray
    mean_square: np.ndarray


@dataclass(frozen=True)
class Estimated:
    """Sums over the sample, and single targets of each stratum (empty without draws)."""

    sums: EffectSums
    single: tuple[SingleTargets, ...]


def mean_activation(blocks: Blocks, sample: Sample, *, batch_size: int, tick: Tick = None) -> torch.Tensor:
    """Mean activation over the eligible natural positions `[layer, neuron]`, in the model's dtype."""
    total = torch.zeros(len(blocks), blocks.n_neurons, dtype=torch.float64, device=blocks.model.device)
    for contexts, _ in sample.batches(batch_size):
        total += activation_sums(blocks, torch.from_numpy(sample.token_ids[contexts]), natural=sample.natural)
        if tick is not None:
            tick(contexts.stop)
    n = len(sample) * (sample.natural.stop - sample.natural.start)
    return (total / n).to(blocks.model.dtype)


def estimate(
    blocks: Blocks,
    readout: LossReadout,
    sample: Sample,
    means: torch.Tensor,
    settings: PassSettings,
    *,
    batch_size: int,
    tick: Tick = None,
) -> Estimated:
    """Sum the orders of every neuron's effect over the sample.

    Parameters
    ----------
    means : Tensor `[layer, neuron]`
        Mean activations, which ablated neurons take.
    batch_size : int
        Contexts at a time.
    tick : callable, optional
        Called with the number of contexts done.
    """
    n_layers, n_neurons = means.shape
    running = RunningSums(
        n_strata=len(sample.strata),
        n_halves=2 if settings.halves else 1,
        n_folds=N_FOLDS,
        n_layers=n_layers,
        n_neurons=n_neurons,
    )
    single = [_Singles(sample, s, settings, means.shape) for s in range(len(sample.strata))]
    for contexts, rows in sample.batches(batch_size):
        batch = Batch(blocks, readout, sample, contexts, rows, means)
        first = batch.first_order(batch.base, batch.deltas, settings)
        gauss_newton, last = batch.gauss_newton(), LastLayer(batch).second_order(settings)
        for one in single:
            one.add(batch)
        batch.base = None  # the graph
        running.add(
            first=_host(first),
            signs=[*_signs(batch, first, settings), _host(last)],
            gauss_newton=_host(gauss_newton),
            fold=sample.fold[contexts],
            document=sample.cluster[contexts],
            counts=sample.counts(contexts),
        )
        if tick is not None:
            tick(contexts.stop)
    return Estimated(running.finish(), tuple(one.finish() for one in single) if settings.target_draws else ())


class _Singles:
    """Collects the effects of single targets of one stratum."""

    def __init__(self, sample: Sample, stratum: int, settings: PassSettings, shape: torch.Size) -> None:
        self.sample = sample
        self.drawn: TargetDraws = draw_targets(sample, stratum, n_draws=settings.target_draws, seed=settings.seed)
        rng = np.random.default_rng(settings.seed)
        self.neurons = torch.from_numpy(np.sort(rng.permutation(shape[1])[:FEW]))
        self.rows: list[np.ndarray] = []
        self.few: list[np.ndarray] = []
        self.squares = np.zeros(tuple(shape))

    def add(self, batch: Batch) -> None:
        """Take one target of each context, draw after draw."""
        for drawn in self.drawn.rows[:, batch.contexts]:
            rows = drawn[drawn >= 0]
            if not len(rows):
                continue
            at = torch.from_numpy(np.flatnonzero(drawn >= 0))
            effects = batch.effects(batch.base, np.isin(batch.rows, rows), batch.deltas)[:, at]
            weight = torch.from_numpy(self._weight(rows)).to(effects.device)
            self.squares += torch.einsum("cln,c->ln", effects[0].double().square(), weight).cpu().numpy()
            self.rows.append(rows)
            self.few.append(_host(effects[..., self.neurons.to(effects.device)]))

    def _weight(self, rows: np.ndarray) -> np.ndarray:
        return self.drawn.weight[self.sample.context[rows]]

    def finish(self) -> SingleTargets:
        rows = np.concatenate(self.rows) if self.rows else np.zeros(0, dtype=np.int64)
        weight = self._weight(rows)
        few = np.concatenate(self.few, axis=1) if self.few else np.zeros((N_PARTS, 0, len(self.squares), 0), np.float32)
        return SingleTargets(rows, weight, self.neurons.numpy(), few, self.squares / max(weight.sum(), 1.0))


def _signs(batch: Batch, first: torch.Tensor, settings: PassSettings) -> list[np.ndarray]:
    """Draws of all layers but the last; none of a network of one layer."""
    if len(batch.deltas) == 1:
        return []
    drawn = (batch.draw(k, settings) for k in range(settings.sign_draws))
    return [_host(torch.stack([batch.second_order(first, z, settings) for z in drawn]))]


def _host(values: torch.Tensor) -> np.ndarray:
    return values.cpu().numpy()
