import numpy as np
import pytest

from rare_neurons.numerics.panel.folds import HALF_A, HALF_B
from rare_neurons.replication import inputs
from rare_neurons.replication.inputs import Case, Tree
from rare_neurons.stages.claim_inputs import LAST
from tests.figures.tree import CONTROL, N_FOLDS, N_NEURONS, RUNS, SUBJECT, WIDTH, effect


def test_panels_are_told_apart_by_their_strata(tree):
    assert (tree.ours, tree.by_input, tree.draws) == ("heldout", "by-input", ["half", "half-redrawn"])
    assert tree.read_at == [("heldout", "rare"), ("half", "rare")]
    alone = Tree(tree.results, SUBJECT, RUNS, (), tree.strata, {"heldout": tree.panels["heldout"]})
    assert (alone.by_input, alone.draws, alone.read_at) == (None, [], [("heldout", "rare")])


def test_cases_are_first_and_last_good_checkpoints(tree):
    assert list(tree.cases()) == [
        Case("a-seed0, step 0", "a-seed0", 0),
        Case("a-seed1, step 0", "a-seed1", 0),
        Case("a-seed0, step 16", "a-seed0", 16),
        Case("a-seed1, step 8", "a-seed1", 8),  # 16 is quarantined
        Case("shuffled (control), step 16", CONTROL, 16),
    ]


def test_a_row_that_is_not_there_is_none(tree):
    where = {"panel": "heldout", "stratum": "rare", "model": "a-seed0"}
    assert tree.one("inequality", **where, step=8).gini == pytest.approx(0.48)
    assert tree.one("inequality", **where, step=7) is None
    assert len(tree.rows("inequality", **where)) == 4
    case = Case("", "a-seed0", 8)
    assert tree.regime(case, panel="heldout", stratum="rare", convention="seed_huber").rank_exponent == 1.5
    assert tree.regime(case, panel="heldout", stratum="rare", convention="none") is None


def test_a_claim_is_the_one_about_the_last_checkpoint(tree):
    assert inputs._LAST == LAST
    quantity = "inequality of neurons on rare beyond common tokens"
    assert tree.claim(quantity).verdict == "supported"
    assert tree.claim(quantity, "by-input").panel == "by-input"
    assert tree.claim("another") is None


def test_neurons_and_folds_come_in_order(tree):
    where = {"panel": "half", "model": "a-seed0", "step": 8, "stratum": "rare"}
    neurons = tree.neurons(**where)
    assert neurons.neuron.tolist() == list(range(N_NEURONS))
    assert neurons.influence.tolist() == effect("a-seed0", 8, "rare").tolist()
    folds = tree.folds(**where)
    assert folds.influence_sum.shape == (N_FOLDS, N_NEURONS)
    assert folds.half.tolist() == [HALF_A] * 32 + [HALF_B] * 32
    assert folds.n_targets.sum() == 2 * N_FOLDS
    # Ten per cent of noise on each of 64 folds.
    assert folds.influence_sum.sum(axis=0) / 128 == pytest.approx(effect("a-seed0", 8, "rare"), rel=0.06)


def test_what_is_known_of_the_layer(tree):
    assert (tree.n_neurons, tree.d_model, tree.n_set) == (N_NEURONS, WIDTH, 4)
    assert tree.training_counts("by-input").tolist() == [60, 20, 12, 8, 0]
    assert len(tree.targets("by-input")) == 8
    assert len(tree.noise_band.low) == N_NEURONS
    assert list(tree.gaussian_hill) == [2, 4, 8, 16]
    assert all(np.all(np.diff(band) >= 0) for band in tree.gaussian_hill.values())
