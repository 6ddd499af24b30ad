"""Targets: the next tokens of their stratum, as many as asked, of few types only as often as allowed."""

import numpy as np
import pytest

from rare_neurons.numerics.panel.contexts import cut_contexts
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.numerics.panel.targets import Most, draw_targets

STRATA = {"common": {"mass": [0.0, 0.5]}, "rare": {"mass": [0.5, 1.0]}}
END = 0


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(1)
    return [rng.zipf(1.5, rng.integers(20, 400)).clip(max=60).astype(np.int32) for _ in range(120)]


@pytest.fixture(scope="module")
def contexts(corpus):
    return cut_contexts(corpus, end_of_text=END, context_length=16, max_contexts=None, max_per_document=20, seed=3)


@pytest.fixture(scope="module")
def strata(corpus):
    return assign_strata(np.bincount(np.concatenate(corpus), minlength=61), STRATA)


def draw(contexts, strata, **changes):
    options = {
        "targets_per_stratum": 300,
        "most": Most(per_type=200, per_document=12),
        "min_position": 4,
        "token_role": "target",
        "seed": 5,
    }
    return draw_targets(contexts, strata, tuple(STRATA), **options | changes)


def test_targets_are_the_next_tokens_of_their_stratum(contexts, strata):
    targets = draw(contexts, strata)
    ids = contexts.token_ids
    assert np.array_equal(ids[targets.context, targets.position], targets.input_id)
    assert np.array_equal(ids[targets.context, targets.position + 1], targets.target_id)
    assert np.array_equal(strata[targets.target_id], targets.stratum)
    assert targets.position.min() >= 4
    assert np.bincount(targets.stratum).tolist() == [300, 300]
    assert np.unique(targets.target_id, return_counts=True)[1].max() <= 200
    for index in range(2):
        assert np.unique(targets.document[targets.stratum == index], return_counts=True)[1].max() <= 12
    assert np.array_equal(contexts.document[targets.context, targets.position + 1], targets.document)
    assert len(set(zip(targets.context, targets.position, strict=True))) == 600


def test_the_seed_convention_selects_by_the_token_read(contexts, strata):
    targets = draw(contexts, strata, token_role="input")
    assert np.array_equal(strata[targets.input_id], targets.stratum)
    assert not np.array_equal(strata[targets.target_id], targets.stratum)


def test_equal_seeds_draw_equal_panels(contexts, strata):
    one, two, other = (draw(contexts, strata, seed=s) for s in (5, 5, 6))
    assert np.array_equal(one.position, two.position)
    assert not np.array_equal(one.position, other.position)


def test_a_corpus_too_small_says_what_each_stratum_has(contexts, strata):
    with pytest.raises(
        ValueError, match=r"\{'common': \d+, 'rare': \d+\} eligible targets per stratum .* asks for 9999"
    ):
        draw(contexts, strata, targets_per_stratum=9999)


def test_as_many_as_there_are_is_what_the_scarcest_stratum_has(contexts, strata):
    found = draw(contexts, strata, targets_per_stratum=None)
    n = np.bincount(found.stratum)
    assert n[0] == n[1] > 300
    with pytest.raises(ValueError, match=rf"asks for {n[0] + 1} of each"):
        draw(contexts, strata, targets_per_stratum=int(n[0]) + 1)
    same = draw(contexts, strata, targets_per_stratum=int(n[0]))
    assert np.array_equal(same.position, found.position)


def test_fewer_than_a_panel_may_have_are_refused_also_where_none_are_asked_for(contexts, strata):
    with pytest.raises(ValueError, match="asks for 16 of each"):
        draw(contexts, strata, targets_per_stratum=None, most=Most(per_type=1, per_document=1), min_position=14)
