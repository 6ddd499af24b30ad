"""Rows about the sets of one checkpoint: organisation, joint ablation, examples, and what two strata share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from rare_neurons.columns import joined_row
from rare_neurons.models.activity.reading import SPLITS
from rare_neurons.models.activity.scene import Scene, mlp_matrix
from rare_neurons.models.activity.set_effects import (
    ABLATIONS,
    TargetStream,
    measure_pairs,
    measure_sets,
    measure_singles,
)
from rare_neurons.numerics.kinds.examples import Targets, choose_examples
from rare_neurons.numerics.kinds.rows import ExampleRow
from rare_neurons.numerics.organisation.comparison import Compared
from rare_neurons.numerics.organisation.interaction import OfAblation, SetRow, measure_interaction
from rare_neurons.numerics.organisation.matching import MatchedSets, draw_matched_sets
from rare_neurons.numerics.organisation.overlap import measure_overlap
from rare_neurons.numerics.organisation.row_correlations import unit_rows
from rare_neurons.numerics.organisation.rows import OfQuantity, OfStrata, OrganisationRow, OverlapRow
from rare_neurons.numerics.organisation.study import (
    MIN_ROWS,
    Reading,
    StratumActivity,
    block_design,
    measure_alignment,
    measure_reading,
)

Array = NDArray[np.float64]
INFLUENCES = ("influence", "influence_within")


@dataclass(frozen=True, eq=False)
class ChosenSet:
    """One set of a checkpoint, and what it is compared with.

    Attributes
    ----------
    stratum, sign : str
    matched : MatchedSets
    ranked : int array [g]
        The set, the strongest neuron first.
    placebo : int array [g]
    rng : numpy.random.Generator
    """

    stratum: str
    sign: str
    matched: MatchedSets
    ranked: NDArray[np.int64]
    placebo: NDArray[np.int64]
    rng: np.random.Generator


def choose_sets(scene: Scene) -> Iterator[ChosenSet]:
    """Yield the set of every stratum and sign that at least two neurons have, beside its matched sets."""
    options = scene.options
    asked = [(stratum, sign) for stratum in options.strata for sign in options.signs]
    for (stratum, sign), seed in zip(asked, np.random.SeedSequence(options.seed).spawn(len(asked)), strict=True):
        chosen, rng = scene.probed.chosen(stratum, sign, options), np.random.default_rng(seed)
        if len(chosen) > 1:
            matched = draw_matched_sets(chosen, scene.covariates, rng, n_sets=options.n_permutations)
            placebo = np.argsort(-scene.strength, kind="stable")[: len(chosen)]
            yield ChosenSet(stratum, sign, matched, chosen, placebo, rng)


def organisation_rows(scene: Scene, sets: Sequence[ChosenSet]) -> Iterator[OrganisationRow]:
    """Yield what activations and output directions say of one stratum's sets, or why where rows are too few.

    Of sets of one sign only what decides is measured: residualised activations.
    """
    activity = _activity_of(scene, sets[0].stratum)
    if isinstance(activity, str):
        yield from (_too_few_rows(one, activity) for one in sets)
    else:
        # One of both at a time: correlations of a wide layer take half a gigabyte.
        for residualised in (False, True):
            reading = Reading.of(activity, residualised=residualised)
            draws = {"community_draws": scene.options.community_draws}
            for one in sets:
                about = {"rng": one.rng, "stratum": one.stratum, "sign": one.sign, **draws}
                if residualised or one.sign == "all":
                    yield from measure_reading(reading, one.matched, one.placebo, **about)
    for one in sets:
        yield from _alignment_rows(scene, one)


def _too_few_rows(one: ChosenSet, why: str) -> OrganisationRow:
    blank = dict.fromkeys(Compared.__dataclass_fields__)
    blank |= {"n_set": len(one.ranked), "n_permutations": 0, "status": "undefined", "reason": why}
    about = {"stratum": one.stratum, "sign": one.sign, "quantity": "excess_square_correlation"}
    return joined_row(OrganisationRow, OfQuantity(residualised=True, n_rows=None, **about), Compared(**blank))


def _alignment_rows(scene: Scene, one: ChosenSet) -> Iterator[OrganisationRow]:
    about = {"stratum": one.stratum, "sign": one.sign}
    W_out = mlp_matrix(scene.model, scene.last, "W_out")
    raw = W_out / np.linalg.norm(W_out, axis=1, keepdims=True)
    rows = {
        "square_cosine": unit_rows(W_out, None),
        "square_cosine_raw": raw,
        "square_cosine_without_gradients": unit_rows(W_out, scene.probed.gradients),
    }
    yield from measure_alignment(rows, one.matched, one.placebo, rng=one.rng, **about)


def mean_ablation_of_singles(scene: Scene, stream: TargetStream) -> Array:
    """Mean change of the loss when each neuron alone is mean-ablated `[neuron]`: once for all sets of a stratum."""
    delta = torch.from_numpy(scene.probed.activation_mean) - stream.activations
    return measure_singles(stream, delta, range(delta.shape[1]))


def set_rows(scene: Scene, one: ChosenSet, stream: TargetStream, single: Array) -> Iterator[SetRow]:
    """Yield the joint ablation of a set: mean ablation beside matched sets, other ablations beside nothing.

    Sets of one sign are mean-ablated alone.
    """
    mean = torch.from_numpy(scene.probed.activation_mean)
    donors = torch.from_numpy(one.rng.permutation(len(stream.target)))
    kinds = ABLATIONS if one.sign == "all" else ABLATIONS[:1]
    for ablation, delta in stream.deltas(mean, donors=donors, kinds=kinds).items():
        about, n_targets = OfAblation(one.stratum, one.sign, ablation), len(stream.target)
        frozen = ablation == "norm_matched"
        alone = measure_sets(stream, delta, [one.matched.chosen], freeze_norm=frozen)
        of_set = {"joint_within": float(alone.within[0]), "n_targets": n_targets}
        if ablation == ABLATIONS[0] and scene.options.joint_draws:
            joint, of_placebo = _beside(scene, one, stream, delta)
            placebo = of_placebo - float(single[one.placebo].sum())
            found = measure_interaction(joint, single, one.matched, **of_set, placebo=placebo)
            exact = float(alone.total[0])
            found = replace(found, joint_influence=exact, interaction=exact - found.sum_influence)
        else:
            own = single if ablation == ABLATIONS[0] else _singles(stream, delta, one.matched.chosen, frozen)
            found = measure_interaction(alone.total, own, one.matched, **of_set)
        yield joined_row(SetRow, about, found)


def _beside(
    scene: Scene, one: ChosenSet, stream: TargetStream, delta: torch.Tensor
) -> tuple[NDArray[np.float64], float]:
    """Joint ablation of the set and its matched sets, and of the placebo.

    All in float32, in a third of the time: what is compared errs alike, by some 1e-7 nats.
    """
    sets = [one.matched.chosen, *one.matched.sets[: scene.options.joint_draws], one.placebo]
    joint = measure_sets(stream, delta, sets, dtype=torch.float32).total
    return joint[:-1], float(joint[-1])


def _singles(stream: TargetStream, delta: torch.Tensor, members: NDArray[np.int64], frozen: bool) -> Array:
    if not frozen:
        return measure_singles(stream, delta, members)
    single = np.full(delta.shape[1], np.nan)
    single[members] = measure_sets(stream, delta, members[:, None], freeze_norm=True).total
    return single


def example_rows(scene: Scene, one: ChosenSet, stream: TargetStream) -> Iterator[ExampleRow]:
    """Yield the targets on which the strongest neurons of a set act most."""
    neurons = one.ranked[: scene.options.example_neurons]
    at = scene.targets[scene.targets_of(one.stratum)]
    panel = scene.panel
    delta = torch.from_numpy(scene.probed.activation_mean) - stream.activations
    yield from choose_examples(
        Targets(panel.token_ids, panel.context[at], panel.position[at]),
        measure_pairs(stream, delta, neurons),
        stream.activations[:, torch.from_numpy(neurons)].numpy(),
        neurons=neurons,
        stratum=one.stratum,
        sign=one.sign,
        n_examples=scene.options.examples,
    )


def overlap_rows(scene: Scene) -> Iterator[OverlapRow]:
    """Yield what the top sets of every two strata share, one chosen in part A and the other in part B."""
    options, influence = scene.options, scene.probed.influence
    rng = np.random.default_rng(np.random.SeedSequence(options.seed, spawn_key=(len(options.strata), 1)))
    pairs = [(s, o) for s in options.strata for o in options.strata if s != o]
    for stratum, other in pairs:
        for name in INFLUENCES:
            one, two = influence[f"{name}_a"][stratum], influence[f"{name}_b"][other]
            found = measure_overlap(one, two, scene.strength, rng=rng, n_draws=options.n_permutations)
            # In a small layer several shares are one size.
            for size in {one.n_set: one for one in found}.values():
                yield joined_row(OverlapRow, OfStrata(stratum, other, name), size)


def _activity_of(scene: Scene, stratum: str) -> StratumActivity | str:
    """Blocks of a stratum's rows and their designs, or why there are none."""
    rows, log_p = scene.rows, scene.panel.log_unigram
    own = rows.stratum == scene.panel.strata.index(stratum)
    members = [np.flatnonzero(own & (rows.block == b)) for b in range(4)]
    fewest = min(map(len, members))
    if fewest < MIN_ROWS:
        return f"{fewest} rows of activations in a block, {MIN_ROWS} needed: use more contexts (activity.context_share)"
    designs = [block_design(log_p[rows.target_id[m]], log_p[rows.input_id[m]], rows.position[m]) for m in members]
    return StratumActivity([scene.activations(m) for m in members], designs, SPLITS)
