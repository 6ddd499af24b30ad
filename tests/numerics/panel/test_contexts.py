"""Contexts: no document in both halves, folds of one size."""

import numpy as np
import pytest
from rare_neurons.numerics.panel.folds import N_FOLDS

from rare_neurons.numerics.panel.contexts import cut_contexts

END = 0


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(1)
    return [rng.zipf(1.5, rng.integers(20, 400)).clip(max=60).astype(np.int32) for _ in range(120)]


@pytest.fixture(scope="module")
def contexts(corpus):
    return cut_contexts(corpus, end_of_text=END, context_length=16, max_contexts=None, seed=3)


def test_folds_are_even_and_halves_follow_them(contexts):
    sizes = np.bincount(contexts.fold, minlength=N_FOLDS)
    for half in (sizes[: N_FOLDS // 2], sizes[N_FOLDS // 2 :]):
        assert half.max() - half.min() <= 1
    assert np.array_equal(contexts.half, (contexts.fold >= N_FOLDS // 2).astype(int))


def test_no_document_is_in_both_halves(corpus):
    marked = [np.full(len(d), i + 1) for i, d in enumerate(corpus)]
    contexts = cut_contexts(marked, end_of_text=END, context_length=16, max_contexts=None, seed=3)
    in_a, in_b = (set(np.unique(contexts.token_ids[contexts.half == h])) - {END} for h in (0, 1))
    assert in_a
    assert in_b
    assert not in_a & in_b


def test_too_little_text_for_the_folds_is_refused():
    with pytest.raises(ValueError, match="half A of the corpus has 1 contexts of 16 tokens"):
        cut_contexts([np.arange(17), np.arange(17)], end_of_text=END, context_length=16, max_contexts=None, seed=0)


def test_no_more_contexts_than_asked_half_from_each_half(corpus):
    few = cut_contexts(corpus, end_of_text=END, context_length=16, max_contexts=200, seed=3)
    assert np.bincount(few.half).tolist() == [100, 100]
    assert few.token_ids.shape == (200, 16)
