"""Which contexts are chosen, and how they are cut into batches."""

import dataclasses

import numpy as np
import pytest

from rare_neurons.errors import RequestError
from rare_neurons.models.allocation.contexts import batches_of, choose_contexts
from tests.models.tiny import random_panel

PANEL = random_panel(n_contexts=48, per_stratum=100)
"""Four contexts of each fold, two documents."""


@pytest.mark.parametrize("n", [12, 30, None])
def test_contexts_are_spread_over_the_folds_and_targets_stay_theirs(n):
    some = choose_contexts(PANEL, n, ("common", "rare"))
    per_fold = np.bincount(some.fold, minlength=12)
    assert len(some.token_ids) == (n or 48)
    assert per_fold.max() - per_fold.min() <= 1
    assert set(some.stratum) == {0, 2}
    np.testing.assert_array_equal(some.token_ids[some.context, some.position + 1], some.target_id)
    kept = {tuple(row) for row in some.token_ids}
    expected = sum(
        tuple(PANEL.token_ids[c]) in kept and s != 1 for c, s in zip(PANEL.context, PANEL.stratum, strict=True)
    )
    assert len(some.context) == expected
    choose_contexts(PANEL, n, PANEL.strata).check()


def test_two_contexts_of_a_fold_are_of_two_documents():
    some = choose_contexts(PANEL, 24, ("common", "mid", "rare"))
    assert len(np.unique(some.document)) == 24


def test_batches_hold_every_target_once():
    batches = batches_of(PANEL, 7)
    assert [len(batch.token_ids) for batch in batches] == [7] * 6 + [6]
    rows = np.concatenate([batch.rows for batch in batches])
    assert sorted(rows) == list(range(len(PANEL.context)))
    for batch in batches:
        ids = batch.token_ids[batch.context, batch.position + 1]
        np.testing.assert_array_equal(ids, PANEL.target_id[batch.rows])
        np.testing.assert_array_equal(batch.fold[batch.context], PANEL.fold[PANEL.context[batch.rows]])


def test_too_few_contexts_and_unknown_strata_are_refused():
    with pytest.raises(RequestError, match="strata odd asked for; the panel has common, mid, rare"):
        choose_contexts(PANEL, 12, ("rare", "odd"))
    with pytest.raises(RequestError, match=r"strata \(none\) asked for"):
        choose_contexts(PANEL, 12, ())
    with pytest.raises(RequestError, match=r"in [01] of the document folds of 1 contexts"):
        choose_contexts(PANEL, 1, ("rare",))
    few = dataclasses.replace(PANEL, stratum=np.where(PANEL.context == 0, 1, 0))
    with pytest.raises(RequestError, match="'mid' has targets in 1 of the document folds of 1 contexts"):
        choose_contexts(few, None, ("mid",))
