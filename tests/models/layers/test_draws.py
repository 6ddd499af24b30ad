"""What is drawn is balanced, and the same whatever the batches are."""

import numpy as np
import pytest

from rare_neurons.errors import RequestError
from rare_neurons.models.allocation.contexts import choose_contexts
from rare_neurons.models.layers.draws import draw_sample, draw_signs, draw_target_signs, draw_targets
from tests.models.tiny import random_panel

PANEL = random_panel(n_contexts=30, per_stratum=70)


def test_a_sample_has_the_panels_targets_of_its_strata():
    sample = draw_sample(PANEL, ("rare", "common"), None, seed=0)
    wanted = np.isin(PANEL.stratum, [0, 2])
    assert len(sample.context) == wanted.sum()
    assert sample.n_targets().tolist() == [(PANEL.stratum == 2).sum(), (PANEL.stratum == 0).sum()]
    assert (sample.token_ids[sample.context, sample.position + 1] == sample.target_id).all()
    key = sorted(zip(PANEL.document[wanted], PANEL.target_id[wanted], strict=True))
    assert sorted(zip(sample.document, sample.target_id, strict=True)) == key
    assert (PANEL.vocab_stratum[sample.target_id] == np.array([2, 0])[sample.stratum]).all()
    assert (sample.half == (sample.target_id % 12 >= 6)).all()
    assert sample.natural == slice(2, 13)


def test_contexts_come_evenly_from_the_folds_and_by_document():
    sample = draw_sample(PANEL, ("rare", "common"), 12, seed=0)
    assert len(sample) == 12
    per_fold = np.bincount(sample.fold, minlength=12)
    assert per_fold.max() <= 2
    assert (per_fold > 0).sum() >= 10
    changes = np.flatnonzero(np.diff(sample.cluster)) + 1
    assert len(changes) + 1 == len(np.unique(sample.cluster))  # each document's contexts are together
    accounts = choose_contexts(PANEL, 12, ("common", "rare"))
    assert {tuple(row) for row in sample.token_ids} == {tuple(row) for row in accounts.token_ids}
    other = draw_sample(PANEL, ("rare", "common"), 12, seed=1)
    np.testing.assert_array_equal(sample.token_ids, other.token_ids)
    assert not np.array_equal(sample.uniform, other.uniform)


def test_batches_hold_every_target_once():
    sample = draw_sample(PANEL, ("rare", "common"), None, seed=0)
    rows = []
    for contexts, mine in sample.batches(7):
        assert ((sample.context[mine] >= contexts.start) & (sample.context[mine] < contexts.stop)).all()
        assert sample.counts(contexts).sum() == len(mine)
        rows.extend(mine)
    assert rows == list(range(len(sample.context)))


def test_signs_are_fair_and_do_not_know_the_batches():
    sample = draw_sample(PANEL, ("rare",), None, seed=0)
    draws = [draw_signs(slice(0, 9), draw=k, shape=(3, 50), seed=4) for k in range(2)]
    assert draws[0].shape == (3, 9, 50)
    parts = [draw_signs(contexts, draw=0, shape=(3, 50), seed=4) for contexts in (slice(0, 4), slice(4, 9))]
    np.testing.assert_array_equal(np.concatenate(parts, 1), draws[0])
    of_targets = {"draws": 2, "n_neurons": 50, "seed": 4}
    targets = draw_target_signs(sample, slice(0, 9), **of_targets)
    assert targets.shape == (2, (sample.context < 9).sum(), 50)
    parts = [draw_target_signs(sample, contexts, **of_targets) for contexts in (slice(0, 4), slice(4, 9))]
    np.testing.assert_array_equal(np.concatenate(parts, 1), targets)
    for z, w in (draws, targets):
        assert set(np.unique(z)) == {-1, 1}
        # Both are sums of fair signs: beyond five standard deviations once in two million.
        assert abs(int(z.sum())) < 5 * np.sqrt(z.size)
        assert abs(int((z * w).sum())) < 5 * np.sqrt(z.size)


def test_single_targets_stand_for_all_of_their_context():
    sample = draw_sample(PANEL, ("rare", "common"), None, seed=0)
    drawn = draw_targets(sample, 1, n_draws=2, seed=0)
    rows = drawn.rows[drawn.rows >= 0]
    assert len(set(rows.tolist())) == len(rows)
    assert (sample.stratum[rows] == 1).all()
    for k in range(2):
        at = np.flatnonzero(drawn.rows[k] >= 0)
        assert (sample.context[drawn.rows[k, at]] == at).all()
    counts = sample.counts(slice(0, len(sample)))[1]
    stands_for = drawn.weight * (drawn.rows >= 0).sum(0)
    np.testing.assert_allclose(stands_for, counts)
    everything = draw_targets(sample, 1, n_draws=int(counts.max()), seed=0)
    assert sorted(everything.rows[everything.rows >= 0]) == np.flatnonzero(sample.stratum == 1).tolist()


def test_a_stratum_that_the_panel_lacks_is_refused():
    with pytest.raises(RequestError, match="stratum 'odd' is not of the panel; its strata: common, mid, rare"):
        draw_sample(PANEL, ("rare", "odd"), None, seed=0)
    with pytest.raises(RequestError, match="none of the strata asked for is of the panel; its strata: common, mid"):
        draw_sample(PANEL, (), None, seed=0)
