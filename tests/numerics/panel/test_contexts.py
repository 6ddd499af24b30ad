"""Contexts: few of each document, short documents joined, every token with its document."""

import numpy as np
import pytest

from rare_neurons.numerics.panel.contexts import cut_contexts, units

END, LENGTH = 0, 16


def document(number, length):
    """A document whose tokens say where they come from."""
    return np.full(length, number + 1, dtype=np.int32)


def cut(documents, **changes):
    options = {"end_of_text": END, "context_length": LENGTH, "max_contexts": None, "max_per_document": 2, "seed": 3}
    return cut_contexts(documents, **options | changes)


LONG = [document(k, 16 * (1 + k)) for k in range(5)]
SHORT = [document(10 + k, 3 + k) for k in range(9)]


def test_a_long_document_gives_few_windows_and_every_document_gives_one_before_any_gives_two():
    contexts = cut(LONG)
    owner = contexts.document[:, 0]
    assert (contexts.document == owner[:, None]).all()
    assert np.array_equal(contexts.token_ids, contexts.document + 1)
    assert sorted(np.bincount(owner).tolist()) == [1, 2, 2, 2, 2]
    assert sorted(owner[:5]) == [0, 1, 2, 3, 4]


def test_windows_of_one_document_do_not_overlap():
    contexts = cut([np.arange(1, 161)], max_per_document=10)
    assert np.array_equal(np.sort(contexts.token_ids.ravel()), np.arange(1, 161))


def test_short_documents_are_joined_and_each_is_in_one_context_only():
    contexts = cut(SHORT)
    ends = contexts.token_ids == END
    assert np.array_equal(contexts.token_ids[~ends], 11 + contexts.document[~ends])
    for number in np.unique(contexts.document):
        assert len(np.unique(np.flatnonzero((contexts.document == number).any(axis=1)))) == 1
    # A token of end of text belongs to the document it ends.
    rows, columns = np.nonzero(ends)
    before = columns > 0
    assert np.array_equal(
        contexts.document[rows[before], columns[before]], contexts.document[rows[before], columns[before] - 1]
    )


def test_documents_that_share_a_context_are_one_unit():
    contexts = cut([*LONG, *[document(20 + k, 5) for k in range(12)]])
    unit = units(contexts)
    for row in contexts.document:
        assert len(np.unique(unit[row])) == 1
    assert len(np.unique(unit[np.unique(contexts.document)])) < len(np.unique(contexts.document))


def test_no_more_contexts_than_asked():
    assert len(cut(LONG, max_contexts=3).token_ids) == 3


def test_too_little_text_is_refused():
    with pytest.raises(ValueError, match="2 documents with 12 tokens do not fill one context of 16"):
        cut([document(0, 4), document(1, 8)])
