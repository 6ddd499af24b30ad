import numpy as np
import pytest

from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.replication.inputs import Case, Tree
from tests.figures.tree import WIDTH
from tests.replication.tree import CELL_N, CONTROLS, LOSS, N_NEURONS, RUNS, SERVES, SUBJECT, TYPE_NOISE, effect


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
        *(Case(f"{control} (control), step 16", control, 16) for control in CONTROLS),
    ]


def test_a_row_that_is_not_there_is_none(tree):
    where = {"panel": "heldout", "stratum": "rare", "model": "a-seed0"}
    assert tree.one("inequality", **where, step=8).gini == pytest.approx(0.48)
    assert tree.one("inequality", **where, step=7) is None
    assert len(tree.rows("inequality", **where)) == 4
    case = Case("", "a-seed0", 8)
    assert tree.regime(case, panel="heldout", stratum="rare", convention="seed_huber").rank_exponent == 1.5
    assert tree.regime(case, panel="heldout", stratum="rare", convention="none") is None


def test_answers_are_about_the_stratum_asked_about(tree):
    assert [answer.question for answer in tree.answers("heldout")] == [SERVES, LOSS]
    rows = tree.evidence.assign(stratum="common")
    another = Tree(tree.results, SUBJECT, RUNS, (), tree.strata, tree.panels)
    another.__dict__["evidence"] = rows
    assert another.answers("heldout") == []
    assert tree.answers("no panel") == []


def test_neurons_and_cells_come_in_order(tree):
    where = {"panel": "half", "model": "a-seed0", "step": 8, "stratum": "rare"}
    neurons = tree.neurons(**where)
    assert neurons.neuron.tolist() == list(range(N_NEURONS))
    assert neurons.influence.tolist() == effect("a-seed0", 8, "rare").tolist()
    cells = tree.cells(**where)
    assert cells.sums.shape == (N_FOLDS, N_FOLDS, N_NEURONS)
    assert cells.counts.tolist() == [[CELL_N] * N_FOLDS] * N_FOLDS
    # Rows were written alike, bins with noise of their own: only one axis may vary.
    assert np.ptp(cells.sums, axis=0).max() == 0
    assert (np.ptp(cells.sums, axis=1) > 0).all()
    # Mean of twelve bins: four standard errors.
    mean = cells.sums.sum(axis=(0, 1)) / cells.counts.sum()
    assert mean == pytest.approx(effect("a-seed0", 8, "rare"), rel=4 * TYPE_NOISE / N_FOLDS**0.5)


def test_sizes_are_those_of_the_panel(tree):
    sizes = tree.sizes("half").set_index("stratum")
    assert sizes.n_documents_effective["rare"] == pytest.approx(40.4)
    assert tree.label(RUNS[0]) == RUNS[0]
    assert tree.label(CONTROLS[1]) == "shuffled-b (control)"


def test_what_is_known_of_the_layer(tree):
    assert (tree.n_neurons, tree.d_model, tree.n_set) == (N_NEURONS, WIDTH, 4)
    assert tree.training_counts("by-input").tolist() == [60, 20, 12, 8, 0]
    assert len(tree.targets("by-input")) == 8
    assert len(tree.noise_band.low) == N_NEURONS
    assert list(tree.gaussian_hill) == [2, 4, 8, 16]
    assert all(np.all(np.diff(band) >= 0) for band in tree.gaussian_hill.values())
