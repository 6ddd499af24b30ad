"""An engine's pass over all targets of a panel, in blocks of positions and slabs of neurons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from rare_neurons.errors import RequestError
from rare_neurons.models.influence.budget import Budget
from rare_neurons.models.influence.certified import measure_certified
from rare_neurons.models.influence.directions import prepare_directions, project_classes
from rare_neurons.models.influence.exact import PairEffects, measure_exactly
from rare_neurons.models.influence.inputs import EngineSettings, PassInputs
from rare_neurons.models.influence.moments import MomentVisitor
from rare_neurons.models.influence.placebo import SUMMED, Placebos
from rare_neurons.models.influence.plan import Plan, make_plan
from rare_neurons.models.influence.tokens import TokenBlock
from rare_neurons.models.influence.vocabulary_pass import read_tokens
from rare_neurons.models.influence.within import OwnColumns, measure_within, measure_within_exactly
from rare_neurons.models.readout import Ablation, FinalBlock, prepare_ablation
from rare_neurons.models.recorders.sums import ExpectedSums, StratumSums


class Recorder(Protocol):
    """Keeps something of the unablated model: meets every block of targets once."""

    def add(self, rows: np.ndarray, stratum: int, tokens: TokenBlock, residual: torch.Tensor) -> None:
        """Take a block of one stratum: panel rows, what is known of them, final residual `[pos, d_model]`."""


def measure_panel(
    inputs: PassInputs,
    settings: EngineSettings,
    *,
    recorders: Sequence[Recorder] = (),
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, np.ndarray]:
    """Measure every neuron on every stratum; columns as in `ProbeResult`.

    With the certified engine the pairs of post-norm blocks are all exact, and `exact_fraction` says so.

    Parameters
    ----------
    recorders : sequence of Recorder
        What else to show the blocks of targets to.
    progress : callable, optional
        Called as `progress(done, total)` after each block.
    """
    n_neurons = len(inputs.block.W_out)
    if inputs.takes_moments(settings) and torch.get_float32_matmul_precision() != "highest":
        raise RequestError(
            f"torch's float32_matmul_precision is {torch.get_float32_matmul_precision()!r}: the rounding bounds of the "
            "certified engine need 'highest'"
        )
    plan = make_plan(inputs, settings)
    slabs = [slice(a, min(a + plan.neurons, n_neurons)) for a in range(0, n_neurons, plan.neurons)]
    n_targets = len(inputs.panel.context)
    parts: list[dict[str, np.ndarray]] = []
    for number, slab in enumerate(slabs):
        tick = None if progress is None else _ticker(progress, number * n_targets, len(slabs) * n_targets)
        parts.append(_run_slab(SlabPass(inputs, slab, plan, settings), recorders if number == 0 else (), tick))
    return _join(parts, n_neurons)


def _join(parts: Sequence[dict[str, np.ndarray]], n_neurons: int) -> dict[str, np.ndarray]:
    """Columns of all neurons from those of the slabs."""
    columns = {}
    for name, first in parts[0].items():
        if name in SUMMED:
            columns[name] = sum(part[name] for part in parts) / n_neurons
        else:
            columns[name] = first if name == "cell_n" else np.concatenate([part[name] for part in parts], axis=-1)
    return columns


def _ticker(progress: Callable[[int, int], None], offset: int, total: int) -> Callable[[int], None]:
    return lambda done: progress(offset + done, total)


def _run_slab(
    one: SlabPass, recorders: Sequence[Recorder], tick: Callable[[int], None] | None
) -> dict[str, np.ndarray]:
    """Run one slab and let go of its memory before the next is prepared."""
    for done in one.run(recorders):
        if tick is not None:
            tick(done)
    return one.finish()


@dataclass(frozen=True)
class Measured:
    """One block of targets.

    Its tokens, final residual `[pos, d_model]`, ablation coefficients, pair effects, Σ p U per class
    `[class, pos, neuron]`, and per placebo the within-stratum effects `[pos, neuron]`.
    """

    tokens: TokenBlock
    residual: torch.Tensor
    ablation: Ablation
    effects: PairEffects
    class_U: torch.Tensor
    placebo: list[torch.Tensor]


class SlabPass:
    """All targets, for one slab of neurons."""

    def __init__(self, inputs: PassInputs, slab: slice, plan: Plan, settings: EngineSettings) -> None:
        self.inputs, self.slab, self.plan = inputs, slab, plan
        self.device = inputs.readout.A.device
        self.block = FinalBlock(inputs.block.W_out[slab], inputs.block.post_norm, inputs.block.post_weight)
        hat = self.block.W_out if self.block.post_weight is None else self.block.W_out * self.block.post_weight
        self.W = inputs.readout.norm.centre(hat)
        n_neurons, panel, slices = len(self.W), inputs.panel, inputs.vocabulary.slices
        strata = range(len(panel.strata))
        order = {"device": self.device, "parallel": plan.chunks.parallel}
        self.sums = [StratumSums(panel, s, n_neurons=n_neurons, **order) for s in strata]
        self.expected = ExpectedSums.zeros(n_classes=len(slices), n_neurons=n_neurons, device=self.device)
        self.placebos = Placebos(inputs, slab, settings, parallel=plan.chunks.parallel)
        self.visitor, self.U = None, None
        if inputs.takes_moments(settings):
            directions = prepare_directions(inputs.readout, self.W, slices, plan.product_dtype)
            self.visitor = MomentVisitor(
                directions, plan.gradient_dtype, plan.chunks, enclosure_dtype=plan.enclosure_dtype
            )
            tolerance = {"tolerance": settings.tolerance, "tolerance_se": settings.tolerance_se}
            self.budgets = [
                Budget(n_positions=len(s.labels.rows), n_neurons=n_neurons, **tolerance, device=self.device)
                for s in self.sums
            ]
        else:
            self.U = self.W @ inputs.readout.A.T

    def run(self, recorders: Sequence[Recorder] = ()) -> Iterator[int]:
        """Measure block by block; yields the number of targets done."""
        done = 0
        for stratum, own_class, rows in self.blocks():
            measured = self.measure(stratum, own_class, rows)
            self.sums[stratum].add(rows, measured.effects)
            self.placebos.add(rows, stratum, measured.placebo)
            weight = self.inputs.weights[rows].to(self.device)
            self.expected.add(weight, measured.tokens, measured.ablation, measured.effects, measured.class_U)
            for recorder in recorders:
                recorder.add(rows, stratum, measured.tokens, measured.residual)
            done += len(rows)
            yield done

    def measure(self, stratum: int, own_class: int, rows: np.ndarray) -> Measured:
        """Effects of all pairs of one block of panel rows."""
        readout, vocabulary = self.inputs.readout, self.inputs.vocabulary
        delta, residual, mlp_output, target = self._load(rows)
        coefficients = prepare_ablation(
            readout.norm, self.block, residual=residual, mlp_output=mlp_output, pairs=self.plan.chunks.pairs
        )
        ablation = coefficients(delta)
        placebos = [coefficients(other) for other in self.placebos.deltas(rows)]
        hat = None if mlp_output is None else mlp_output * self.block.post_weight
        tokens = read_tokens(
            readout,
            vocabulary,
            self.inputs.unigram,
            residual=residual,
            target=target,
            own_class=own_class,
            post_direction=hat,
            visitor=self.visitor,
        )
        class_U = project_classes(tokens, self.W)
        place = {"U_y": readout.A[target] @ self.W.T, "own": vocabulary.slices[own_class]}
        if self.visitor is None:
            place |= {"U": self.U, "chunks": self.plan.chunks}
            effects = measure_exactly(tokens, ablation, **place)
            within = [measure_within_exactly(tokens, placebo, **place) for placebo in placebos]
            return Measured(tokens, residual, ablation, effects, class_U, within)
        moments = self.visitor.finish(tokens, class_U)
        known = tokens, ablation, self.visitor, moments
        effects = measure_certified(*known, **place, budget=self.budgets[stratum])
        columns = OwnColumns(tokens, self.visitor, moments, **place)
        within = measure_within(columns, placebos, self.placebos.budgets[stratum])
        return Measured(tokens, residual, ablation, effects, class_U, within)

    def finish(self) -> dict[str, np.ndarray]:
        """Columns of this slab, strata stacked."""
        finished = [s.finish() for s in self.sums]
        columns = {name: np.stack([one[name] for one in finished]) for name in finished[0]}
        columns["influence_expected"] = self.expected.finish(len(self.inputs.panel.strata))
        return columns | self.placebos.finish()

    def _load(self, rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None, torch.Tensor]:
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
        pair = panel.pair()
        for stratum in range(len(panel.strata)):
            for own_class in np.unique(own[panel.stratum == stratum]):
                rows = np.flatnonzero((panel.stratum == stratum) & (own == own_class))
                for block in cut_blocks(rows, pair[rows], self.plan.positions):
                    yield stratum, int(own_class), block


def cut_blocks(rows: np.ndarray, pair: np.ndarray, n_positions: int) -> list[np.ndarray]:
    """Cut panel rows into blocks of at most `n_positions`, equal labels `pair` `[row]` one after another.

    Every n-th pair goes to a block, so that each is a sample of the documents and types.
    """
    n_blocks = -(-len(rows) // n_positions)
    label = np.unique(pair, return_inverse=True)[1]
    return np.array_split(rows[np.lexsort((label, label % n_blocks))], n_blocks)
