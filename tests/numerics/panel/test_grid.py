"""The panel's grid: whole documents in rows, whole types in columns, strata spread over both; too few are refused."""

import numpy as np
import pytest

from rare_neurons.numerics.panel.contexts import cut_contexts
from rare_neurons.numerics.panel.grid import lay_grid, measure_strata
from rare_neurons.numerics.panel.targets import Most, draw_targets

STRATA = np.repeat([0, 1], 40)  # of 80 types
NAMES = ("common", "rare")


def panel(n_documents=60, length=90, **most):
    rng = np.random.default_rng(2)
    documents = [rng.integers(0, 79, rng.integers(8, length)) for _ in range(n_documents)]
    contexts = cut_contexts(documents, end_of_text=79, context_length=16, max_contexts=None, max_per_document=3, seed=1)
    targets = draw_targets(
        contexts,
        STRATA,
        NAMES,
        targets_per_stratum=300,
        most=Most(**{"per_type": 40, "per_document": 40} | most),
        min_position=2,
        token_role="target",
        seed=1,
    )
    return contexts, targets


def test_documents_and_types_are_whole_and_targets_spread_evenly():
    contexts, targets = panel()
    grid = lay_grid(contexts, targets, n_strata=2)
    fold = grid.fold[targets.context]
    for labels, folds in ((targets.document, fold), (targets.target_id, grid.type_bin)):
        assert all(len(np.unique(folds[labels == one])) == 1 for one in np.unique(labels))
        for stratum in range(2):
            size = np.bincount(folds[targets.stratum == stratum], minlength=12)
            assert size.sum() == 300
            # Labels have some ten targets each, so no fold is further than one label from the mean of 25.
            assert size.max() - size.min() <= 15


def test_contexts_without_targets_have_a_fold_too():
    contexts, targets = panel(per_type=8)
    grid = lay_grid(contexts, targets, n_strata=2)
    assert grid.fold.shape == (len(contexts.token_ids),)
    assert set(np.unique(grid.fold)) == set(range(12))


def test_sizes_of_strata():
    _, targets = panel()
    counts = np.arange(80)[::-1] + 1
    rows = measure_strata(STRATA, counts, targets, NAMES)
    rare = rows[1]
    mine = targets.stratum == 1
    n = np.unique(targets.target_id[mine], return_counts=True)[1]
    assert rare.n_types_effective == pytest.approx(300**2 / (n**2).sum())
    assert (rare.n_documents, rare.vocabulary_types) == (len(np.unique(targets.document[mine])), 40)
    assert rare.training_mass == pytest.approx(counts[40:].sum() / counts.sum())
    assert (rare.status, rare.reason) == ("ok", None) or "effective" in rare.reason


def test_a_stratum_of_too_few_documents_is_refused():
    _, targets = panel()
    one = targets.document % 6 == 0
    few = type(targets)(**{name: getattr(targets, name)[one] for name in vars(targets)})
    with pytest.raises(ValueError, match=r"stratum 'common' come from .* effective documents.*fewer than 12"):
        measure_strata(STRATA, np.ones(80, dtype=int), few, NAMES)
