"""An engine's pass over all targets of a panel, in blocks of positions and slabs of neurons from a memory budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.forward import Captured
from rare_neurons.models.influence.certified import Budget, measure_certified
from rare_neurons.models.influence.exact import PairEffects, measure_exactly
from rare_neurons.models.influence.moments import GRADIENT_SUM_32, MomentVisitor, prepare_directions, project_classes
from rare_neurons.models.influence.tokens import VOCAB_BLOCK, TokenBlock, Unigram, read_tokens
from rare_neurons.models.panel_arrays import PanelArrays, SortedVocabulary
from rare_neurons.models.readout import Ablation, FinalBlock, Readout, measure_ablation
from rare_neurons.models.recorders.behaviour import BehaviourRows
from rare_neurons.models.recorders.sums import ExpectedSums, StratumSums, merge_strata
from rare_neurons.numerics.panel.folds import N_FOLDS

Engine = Literal["certified", "exact"]
MAX_POSITIONS, MIN_POSITIONS, MIN_NEURONS = 512, 32, 512
BFLOAT16_FROM = 2**20  # elements of U² from which the faster, coarser product is worth its rounding
FLOAT32_GRADIENT_FROM = 2**24  # the same for Σ p A in float32 blocks


@dataclass(frozen=True)
class PassInputs:
    """What a pass needs: a checked panel, the captured forward pass, and the network's last two maps.

    `weights` `[target]` float64 restore natural shares (`PanelArrays.natural_weights`).
    """

    panel: PanelArrays
    vocabulary: SortedVocabulary
    unigram: Unigram
    weights: torch.Tensor
    captured: Captured
    readout: Readout
    block: FinalBlock


def measure_panel(
    inputs: PassInputs,
    *,
    engine: Engine,
    tolerance: float,
    tolerance_se: float,
    memory_gb: float,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, np.ndarray]:
    """Measure every neuron on every stratum; columns as in `ProbeResult`.

    Post-norm blocks have a third term in their logit change, for which there is no enclosure here: with the certified
    engine all their pairs are exact, and `exact_fraction` says so.
    """
    n_neurons = len(inputs.block.W_out)
    use_moments = engine == "certified" and inputs.block.post_norm is None
    if use_moments and torch.get_float32_matmul_precision() != "highest":
        raise RequestError(
            f"torch's float32_matmul_precision is {torch.get_float32_matmul_precision()!r}: the rounding bounds of the "
            "certified engine need 'highest'"
        )
    plan = make_plan(inputs, use_moments, memory_gb, tolerance_se)
    slabs = [slice(a, min(a + plan.neurons, n_neurons)) for a in range(0, n_neurons, plan.neurons)]
    n_targets = len(inputs.panel.context)
    parts: list[dict[str, np.ndarray]] = []
    behaviour = BehaviourRows(inputs.panel, inputs.readout)
    for number, slab in enumerate(slabs):
        tick = None if progress is None else _ticker(progress, number * n_targets, len(slabs) * n_targets)
        rows = behaviour if number == 0 else None
        parts.append(_run_slab(SlabPass(inputs, slab, plan, use_moments, tolerance, tolerance_se), rows, tick))
    merged = {
        name: first if name == "fold_n" else np.concatenate([part[name] for part in parts], axis=-1)
        for name, first in parts[0].items()
    }
    return {**merged, **behaviour.finish()}


def _ticker(progress: Callable[[int, int], None], offset: int, total: int) -> Callable[[int], None]:
    return lambda done: progress(offset + done, total)


def _run_slab(one: SlabPass, behaviour: BehaviourRows | None, tick: Callable[[int], None] | None):
    """Run one slab and let go of its memory before the next is prepared."""
    for done in one.run(behaviour):
        if tick is not None:
            tick(done)
    return one.finish()


@dataclass(frozen=True)
class Plan:
    """Positions per block, neurons per slab, dtypes of the product with U² and of Σ p A."""

    positions: int
    neurons: int
    product_dtype: torch.dtype
    gradient_dtype: torch.dtype


def make_plan(inputs: PassInputs, use_moments: bool, memory_gb: float, tolerance_se: float) -> Plan:
    """All neurons at once if 128 positions fit beside them, else slabs, each of which repeats the logits."""
    n_vocab, d_model = inputs.readout.A.shape
    n_neurons, n_classes = len(inputs.block.W_out), len(inputs.vocabulary.slices)
    dtype = _product_dtype(inputs.readout.A.device, n_vocab * n_neurons)
    clusters = len(np.unique(inputs.panel.context)) + len(np.unique(inputs.panel.target_id))
    per_neuron = n_vocab * (4 + dtype.itemsize if use_moments else 8) + 8 * (
        len(inputs.panel.strata) * N_FOLDS + clusters
    )
    per_position = 8 * (2 * n_vocab + 10 * VOCAB_BLOCK + (n_classes + 8) * d_model)
    free = memory_gb * 1e9 - 8 * n_vocab * d_model - 32 * VOCAB_BLOCK * n_neurons
    fewest = min(n_neurons, MIN_NEURONS)
    sizes = (MAX_POSITIONS, MAX_POSITIONS // 2, MAX_POSITIONS // 4)
    for positions, wanted in [(n, n_neurons) for n in sizes] + [(n, fewest) for n in (*sizes, MIN_POSITIONS)]:
        neurons = int((free - positions * per_position) / (per_neuron + 8 * (24 + n_classes) * positions))
        if neurons >= wanted:
            gradient = _gradient_dtype(inputs, n_vocab * n_neurons, tolerance_se)
            return Plan(positions, min(neurons, n_neurons), dtype, gradient)
    raise RequestError(
        f"memory_gb={memory_gb} holds {max(neurons, 0)} neurons of {n_neurons} beside a vocabulary of {n_vocab} x "
        f"{d_model} float64; at least {fewest} are needed: raise it"
    )


def _product_dtype(device: torch.device, elements: int) -> torch.dtype:
    """bfloat16 where the hardware multiplies it faster than float32 and the product is large."""
    if elements < BFLOAT16_FROM:
        return torch.float32
    native = torch.cuda.is_bf16_supported() if device.type == "cuda" else torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if native else torch.float32


def _gradient_dtype(inputs: PassInputs, elements: int, tolerance_se: float) -> torch.dtype:
    """float32 blocks for Σ p A where that pays and their rounding stays within half of the tolerance.

    Their bound is about `GRADIENT_SUM_32 √d_model` of a neuron's typical change, its standard error `1/√n` of it.
    """
    largest = np.bincount(inputs.panel.stratum).max()
    share = GRADIENT_SUM_32 * (inputs.readout.A.shape[1] * largest) ** 0.5
    coarse = elements >= FLOAT32_GRADIENT_FROM and share <= tolerance_se / 2
    return torch.float32 if coarse else torch.float64


@dataclass(frozen=True)
class Measured:
    """One block: its tokens, final residual `[pos, d_model]`, ablation coefficients, pair effects, and Σ p U per class
    `[class, pos, neuron]`."""

    tokens: TokenBlock
    residual: torch.Tensor
    ablation: Ablation
    effects: PairEffects
    class_U: torch.Tensor


class SlabPass:
    """All targets, for one slab of neurons."""

    def __init__(
        self, inputs: PassInputs, slab: slice, plan: Plan, use_moments: bool, tolerance: float, tolerance_se: float
    ) -> None:
        self.inputs, self.slab, self.plan = inputs, slab, plan
        self.device = inputs.readout.A.device
        self.block = FinalBlock(inputs.block.W_out[slab], inputs.block.post_norm, inputs.block.post_weight)
        hat = self.block.W_out if self.block.post_weight is None else self.block.W_out * self.block.post_weight
        self.W = inputs.readout.norm.centre(hat)
        n_neurons, panel, slices = len(self.W), inputs.panel, inputs.vocabulary.slices
        strata = range(len(panel.strata))
        self.sums = [StratumSums(panel, s, n_neurons, self.device) for s in strata]
        self.expected = ExpectedSums.zeros(len(slices), n_neurons, self.device)
        self.visitor, self.U = None, None
        if use_moments:
            directions = prepare_directions(inputs.readout, self.W, slices, plan.product_dtype)
            self.visitor = MomentVisitor(directions, plan.gradient_dtype)
            self.budgets = [Budget(len(s.rows), n_neurons, tolerance, tolerance_se, self.device) for s in self.sums]
        else:
            self.U = self.W @ inputs.readout.A.T

    def run(self, behaviour: BehaviourRows | None) -> Iterator[int]:
        """Measure block by block; yields the number of targets done."""
        done = 0
        for stratum, own_class, rows in self.blocks():
            measured = self.measure(stratum, own_class, rows)
            self.sums[stratum].add(rows, measured.effects)
            weight = self.inputs.weights[rows].to(self.device)
            self.expected.add(weight, measured.tokens, measured.ablation, measured.effects, measured.class_U)
            if behaviour is not None:
                behaviour.add(rows, stratum, measured.tokens, measured.residual)
            done += len(rows)
            yield done

    def measure(self, stratum: int, own_class: int, rows: np.ndarray) -> Measured:
        """Effects of all pairs of one block of panel rows."""
        readout, vocabulary = self.inputs.readout, self.inputs.vocabulary
        delta, residual, mlp_output, target = self._load(rows)
        ablation = measure_ablation(readout.norm, self.block, residual, delta, mlp_output)
        hat = None if mlp_output is None else mlp_output * self.block.post_weight
        tokens = read_tokens(readout, vocabulary, self.inputs.unigram, residual, target, own_class, hat, self.visitor)
        U_y = readout.A[target] @ self.W.T
        class_U = project_classes(tokens, self.W)
        own = vocabulary.slices[own_class]
        if self.visitor is None:
            effects = measure_exactly(tokens, ablation, self.U, U_y, own, own_class)
        else:
            budget = self.budgets[stratum]
            effects = measure_certified(tokens, ablation, self.visitor, U_y, class_U, own, own_class, budget)
        return Measured(tokens, residual, ablation, effects, class_U)

    def finish(self) -> dict[str, np.ndarray]:
        columns = merge_strata([s.finish() for s in self.sums])
        columns["influence_expected"] = self.expected.finish(len(self.inputs.panel.strata))
        return columns

    def _load(self, rows: np.ndarray):
        """Float64 inputs of a block on the device: δ, residual, MLP output, target columns."""
        at, captured, inputs = torch.from_numpy(rows), self.inputs.captured, self.inputs
        activations = captured.activations[at, self.slab].double()
        target = inputs.vocabulary.column[torch.from_numpy(inputs.panel.target_id[rows].astype(np.int64))]
        return (
            (captured.activation_mean[self.slab] - activations).to(self.device),
            captured.residual[at].double().to(self.device),
            None if captured.mlp_output is None else captured.mlp_output[at].double().to(self.device),
            target.to(self.device),
        )

    def blocks(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Blocks of targets that share stratum and class of the target token, each a sample of the whole panel."""
        panel, vocabulary = self.inputs.panel, self.inputs.vocabulary
        own = vocabulary.class_of_column.numpy()[vocabulary.column.numpy()[panel.target_id]]
        for stratum in range(len(panel.strata)):
            for own_class in np.unique(own[panel.stratum == stratum]):
                rows = np.flatnonzero((panel.stratum == stratum) & (own == own_class))
                n_blocks = -(-len(rows) // self.plan.positions)
                for k in range(n_blocks):
                    yield stratum, int(own_class), rows[k::n_blocks]
