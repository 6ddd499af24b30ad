"""The account of a change of loss between two checkpoints: which units of weights brought how many nats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from transformers import PreTrainedModel

from rare_neurons.families import family_of
from rare_neurons.models.allocation.contexts import Batch, batches_of, choose_contexts, fitting_batches
from rare_neurons.models.allocation.gradients import PARTS, NodeSums, measure_node
from rare_neurons.models.allocation.line import Line
from rare_neurons.models.allocation.plain import plain_losses
from rare_neurons.models.allocation.products import TappedModel
from rare_neurons.models.allocation.tables import Account, change_columns, unit_columns
from rare_neurons.models.allocation.units import Units
from rare_neurons.models.layers.blocks import full_precision_products
from rare_neurons.models.layers.losses import LossReadout, require_full_precision
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.allocation import path
from rare_neurons.numerics.allocation.standard_error import two_way_factor
from rare_neurons.numerics.grid.folds import N_FOLDS

Progress = Callable[[str, int, int], None]
Columns = dict[str, Sequence[object]]
BATCH_TOKENS = 4096  # tokens of a backward pass unless a batch size is given
JUDGED_CHANGE = 0.1
"""Nats: of smaller changes no share of the remainder is asked, which rounding and sampling would decide."""
_SIGNED = tuple(path.Node(k, 4) for k in (1, 2, 3))
"""Nodes at which types draw signs. One draw alone knows the factor of strong types to 30 %, three to 17 %."""


@dataclass(frozen=True, kw_only=True)
class AllocationOptions:
    """How a change of loss is accounted for.

    Attributes
    ----------
    strata : tuple of str
        Strata of targets; each has two losses, whole and within.
    contexts : int or None
        Contexts of the panel, spread evenly over the document folds; None: all.
    batch_size : int or None
        Contexts of one backward pass; None: about 4,096 tokens.
    max_remainder : float
        Share of a change of more than `JUDGED_CHANGE` nats that may stay unaccounted for before an interval is halved.
    max_halvings : int
        Halvings at most, each of one interval and four more nodes.
    """

    strata: tuple[str, ...]
    contexts: int | None
    batch_size: int | None
    max_remainder: float = 0.02
    max_halvings: int = 4


@dataclass(frozen=True)
class AllocationResult:
    """Columns of two tables: `numerics.allocation.rows.AllocationRow` and `AllocationChangeRow`."""

    rows: Columns
    changes: Columns


def measure_allocation(
    model_a: PreTrainedModel,
    model_b: PreTrainedModel,
    panel: PanelArrays,
    options: AllocationOptions,
    progress: Progress | None = None,
    *,
    middle: PreTrainedModel | None = None,
) -> AllocationResult:
    """Account for the change of each stratum's loss from one checkpoint to another (docs/methods/allocation.md).

    `A_u = ∫₀¹ Σ_{j in u} ∂L/∂θ_j (θ_a + αΔ) Δ_j dα` by Boole's rule on intervals of the straight line.

    Parameters
    ----------
    model_a, model_b : PreTrainedModel
        The earlier and the later checkpoint, float32 or float64. The first one's weights move meanwhile and are as
        before afterwards.
    middle : PreTrainedModel, optional
        A checkpoint between, for `path_correlation`: three lines in place of one.

    Raises
    ------
    RequestError
        For half precision, an unsupported family, checkpoints of different shapes or a panel that does not fit.
    DataFault
        If losses or gradients are not finite.
    """
    panel.check()
    models = [model_a, model_b] if middle is None else [model_a, middle, model_b]
    for model in models:
        family_of(model.config.to_dict())
        require_full_precision(model, "allocation")
    chosen = choose_contexts(panel, options.contexts, options.strata)
    with full_precision_products():
        account = _account(model_a, model_b, chosen, options, progress)
        halves = None if middle is None else [_account(*pair, chosen, options, progress) for pair in pairwise(models)]
    limits = {"max_remainder": options.max_remainder, "judged_change": JUDGED_CHANGE}
    return AllocationResult(unit_columns(account), change_columns(account, halves, **limits))


def _account(
    a: PreTrainedModel, b: PreTrainedModel, panel: PanelArrays, options: AllocationOptions, progress: Progress | None
) -> Account:
    """Account for one line; where the device's memory is too small, again with smaller batches."""
    length = panel.token_ids.shape[1]
    size = min(options.batch_size or max(1, BATCH_TOKENS // length), len(panel.token_ids))
    batches = fitting_batches(size, device=a.device, length=length)
    return batches.run(lambda n: _Walk(a, b, panel, n, options).account(progress))


class _Walk:
    """Two checkpoints, the batches of a panel, and the nodes of the line that have been measured."""

    def __init__(
        self, a: PreTrainedModel, b: PreTrainedModel, panel: PanelArrays, batch_size: int, options: AllocationOptions
    ) -> None:
        self.panel, self.options = panel, options
        self.strata = [panel.strata.index(name) for name in options.strata]
        self.readout = LossReadout(a, panel.vocab_stratum, n_strata=len(panel.strata))
        classes = self.readout.class_of_id.cpu().numpy()
        self.units = Units(a, classes)
        self.signs = dict(zip(_SIGNED, _signs(len(_SIGNED), len(classes)), strict=True))
        self.batches: list[Batch] = batches_of(panel, batch_size)
        plain = {"classes": classes, "strata": self.strata}
        self.before, self.after = (plain_losses(model, self.batches, **plain).reshape(-1) for model in (a, b))
        self.line = Line(a, dict(b.named_parameters()))
        self.tapped = TappedModel(a, self.units, self.line.update, self.readout.class_of_id)
        self.counts = _counts(panel)[self.strata]
        self.nodes: dict[path.Node, NodeSums] = {}

    def account(self, progress: Progress | None) -> Account:
        """Measure the nodes of the whole line, then of halves while a remainder is too large."""
        intervals, options = path.Line(), self.options
        n = np.repeat(self.counts.sum(1), len(PARTS))
        change = self.after - self.before
        with self.line.moved():
            for halvings in range(options.max_halvings + 1):
                self._measure(intervals, progress)
                slopes = {x: self.nodes[x].slope / n for x in intervals.nodes}
                remainder = change - intervals.integrals(slopes).sum(0)
                over = too_large(remainder, change, options.max_remainder)
                if halvings == options.max_halvings or not over.any():
                    break
                losses = {x: self.nodes[x].loss.sum(1) / n for x in intervals.nodes}
                judged = np.where(over, 1 / np.maximum(np.abs(change), JUDGED_CHANGE), 0.0)
                intervals = intervals.halved(path.next_halving(intervals, losses=losses, slopes=slopes, judged=judged))
        sums = sum(float(intervals.weight(x)) * self.nodes[x].slopes for x in intervals.nodes)
        return Account(
            strata=options.strata,
            classes=self.panel.strata,
            units=self.units.units,
            before=self.before,
            after=self.after,
            sums=sums,
            counts=self.counts,
            factors=self._factors(),
            n_nodes=len(self.nodes),
            n_intervals=len(intervals.intervals),
        )

    def _measure(self, intervals: path.Line, progress: Progress | None) -> None:
        for node in intervals.nodes:
            if node in self.nodes:
                continue
            self.line.put(node)
            self.nodes[node] = measure_node(
                self.tapped,
                self.batches,
                readout=self.readout,
                strata=self.strata,
                signs=self.signs.get(node),
            )
            if progress is not None:
                progress("nodes", len(self.nodes), len(intervals.nodes))

    def _factors(self) -> np.ndarray:
        """Two-way factor of each loss, from neurons and heads: there are many of them."""
        many = np.array([unit.kind in ("neuron", "head") for unit in self.units.units])
        plain, signed = (
            np.stack([getattr(self.nodes[x], name)[..., many] for x in _SIGNED]) for name in ("slopes", "signed")
        )
        of_target = [_counts(self.panel, signs[self.panel.target_id])[self.strata] for signs in self.signs.values()]
        signed_counts = np.stack(of_target)
        return np.array(
            [
                two_way_factor(plain[:, k], signed[:, k], counts=self.counts[s], signed_counts=signed_counts[:, s])
                for k, s in enumerate(np.repeat(np.arange(len(self.strata)), len(PARTS)))
            ]
        )


def too_large(remainder: np.ndarray, change: np.ndarray, max_remainder: float) -> np.ndarray:
    """Whether each remainder is too large a share of a change that is large enough to be judged."""
    return (np.abs(change) > JUDGED_CHANGE) & (np.abs(remainder) > max_remainder * np.abs(change))


def _counts(panel: PanelArrays, weights: np.ndarray | None = None) -> np.ndarray:
    """Targets, or sums of their weights, by stratum and fold `[stratum, fold]`."""
    cell = panel.stratum * N_FOLDS + panel.fold[panel.context]
    return np.bincount(cell, weights=weights, minlength=len(panel.strata) * N_FOLDS).reshape(-1, N_FOLDS).astype(float)


def _signs(n_draws: int, n_vocab: int) -> np.ndarray:
    """Signs of each token id `[draw, vocab]`: the same for all checkpoints and losses."""
    return np.random.default_rng(0).choice([-1.0, 1.0], size=(n_draws, n_vocab))
