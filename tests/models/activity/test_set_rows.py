"""Rows about sets: what they are about, and that their numbers are those of the numerics."""

import numpy as np
import pytest
import torch

from rare_neurons.models.activity.set_effects import ABLATIONS, measure_sets
from rare_neurons.models.activity.set_rows import (
    choose_sets,
    example_rows,
    mean_ablation_of_singles,
    organisation_rows,
    overlap_rows,
    set_rows,
)
from tests.models.activity.made import PANEL, STRATA, probed, scene
from tests.models.tiny import N_NEURONS

N_SET = 4


def first(one):
    return next(iter(choose_sets(one)))


def test_every_stratum_and_sign_has_its_set_and_placebo():
    one = scene(signs=("all", "boost"))
    sets = list(choose_sets(one))
    assert [(s.stratum, s.sign) for s in sets] == [(s, sign) for s in STRATA for sign in ("all", "boost")]
    strongest = np.argsort(-one.strength)[:N_SET].tolist()
    for chosen in sets:
        assert chosen.matched.chosen.tolist() == chosen.ranked.tolist()
        assert len(chosen.matched.sets) == one.options.n_permutations
        assert chosen.placebo.tolist() == strongest
    assert (np.stack([s.matched.sets for s in choose_sets(one)]) == [s.matched.sets for s in sets]).all()


def test_organisation_has_both_kinds_of_rows():
    rows = list(organisation_rows(scene(), [first(scene())]))
    assert {(row.stratum, row.sign, row.n_set) for row in rows} == {("rare", "all", N_SET)}
    found = {(row.quantity, row.residualised) for row in rows}
    assert {("excess_square_correlation", flag) for flag in (False, True)} <= found
    assert {(f"square_cosine{end}", False) for end in ("", "_raw", "_without_gradients")} <= found
    assert len(found) == len(rows)
    n_rows = {row.n_rows for row in rows if row.quantity == "excess_square_correlation"}
    assert n_rows == {int((scene().rows.stratum == PANEL.strata.index("rare")).sum())}


def test_too_few_rows_are_said():
    few = scene(context_share=0.3)
    (row,) = [r for r in organisation_rows(few, [first(few)]) if r.quantity == "excess_square_correlation"]
    assert (row.status, row.value, row.claim_p) == ("undefined", None, None)
    assert "rows of activations in a block, 60 needed" in row.reason


def test_joint_ablation_is_beside_its_neurons_and_other_ablations():
    one = scene()
    chosen, stream = first(one), one.stream_of("rare")
    rows = {row.ablation: row for row in set_rows(one, chosen, stream, mean_ablation_of_singles(one, stream))}
    assert tuple(rows) == ABLATIONS
    delta = torch.from_numpy(probed().activation_mean) - stream.activations
    for ablation, frozen in (("mean", False), ("norm_matched", True)):
        together = measure_sets(stream, delta, [chosen.ranked], freeze_norm=frozen).total[0]
        alone = measure_sets(stream, delta, chosen.ranked[:, None], freeze_norm=frozen).total.sum()
        assert rows[ablation].joint_influence == pytest.approx(together, abs=1e-12)
        assert rows[ablation].interaction == pytest.approx(together - alone, abs=1e-9)
    assert {row.status for row in rows.values()} == {"robustness"}


def test_matched_sets_judge_mean_ablation_alone():
    one = scene(joint_draws=99)
    stream = one.stream_of("rare")
    rows = list(set_rows(one, first(one), stream, mean_ablation_of_singles(one, stream)))
    assert [row.n_permutations for row in rows] == [99, 0, 0, 0]
    assert 0 < rows[0].p_value <= rows[0].claim_p <= 1
    delta = torch.from_numpy(probed().activation_mean) - stream.activations
    placebo = first(one).placebo
    alone = measure_sets(stream, delta, placebo[:, None]).total.sum()
    assert rows[0].placebo_interaction == pytest.approx(
        measure_sets(stream, delta, [placebo]).total[0] - alone, abs=1e-6
    )


def test_sets_of_one_sign_have_what_decides():
    one = scene(signs=("all", "boost"), joint_draws=99)
    sets, stream = [s for s in choose_sets(one) if s.stratum == "rare"], one.stream_of("rare")
    found = {(r.quantity, r.residualised) for r in organisation_rows(one, sets) if r.sign == "boost"}
    assert ("excess_square_correlation", True) in found
    assert not {("excess_square_correlation", False), ("participation_ratio_rest", True)} & found
    (row,) = set_rows(one, sets[1], stream, mean_ablation_of_singles(one, stream))
    assert (row.ablation, row.n_permutations) == ("mean", 99)
    assert row.claim_p in (row.p_value, 1.0)


def test_examples_are_the_targets_of_largest_effect():
    one = scene()
    chosen = first(one)
    rows = list(example_rows(one, chosen, one.stream_of("rare")))
    assert [(row.neuron, row.rank) for row in rows] == [(n, k) for n in chosen.ranked[:2] for k in (1, 2, 3)]
    for row in rows:
        assert PANEL.token_ids[row.context, row.position + 1] == row.target_id
        assert PANEL.vocab_stratum[row.target_id] == PANEL.strata.index("rare")
        assert row.before[-1] == PANEL.token_ids[row.context, row.position]
    sizes = np.abs([row.effect for row in rows]).reshape(2, 3)
    assert (np.diff(sizes, axis=1) <= 0).all()


def test_overlap_is_of_every_pair_and_size_once():
    rows = list(overlap_rows(scene()))
    keys = [(row.stratum, row.other, row.influence, row.n_set) for row in rows]
    assert len(set(keys)) == len(keys)
    assert {key[:2] for key in keys} == {("rare", "common"), ("common", "rare")}
    influence = probed().influence
    for row in rows:
        tops = [
            set(np.argsort(-np.abs(influence[f"{row.influence}_{part}"][stratum]))[: row.n_set].tolist())
            for stratum, part in ((row.stratum, "a"), (row.other, "b"))
        ]
        assert row.overlap == len(tops[0] & tops[1]) <= row.n_set <= N_NEURONS
