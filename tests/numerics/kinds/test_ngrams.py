import collections

import numpy as np
import pytest

from rare_neurons.numerics.kinds.ngrams import index_text
from tests.numerics.kinds.made import zipf_text


@pytest.mark.parametrize("n", [1, 2, 3])
def test_numbers_and_occurrences_are_those_of_a_plain_count(n):
    text = zipf_text(n_contexts=12, length=20, vocab=7)
    grams = text.grams[n - 1]
    plain = [collections.Counter(), collections.Counter()]
    for context, row in enumerate(text.token_ids):
        for t in range(text.min_position, 20):
            gram = tuple(row[t - n + 1 : t + 1].tolist())
            plain[text.part[context]][gram] += 1
            assert tuple(grams.tokens[grams.at[context, t]].tolist()) == gram
    for part in (0, 1):
        found = {tuple(g.tolist()): int(k) for g, k in zip(grams.tokens, grams.occurrences[part], strict=True) if k}
        assert found == plain[part]
    assert (grams.at[:, : text.min_position] == -1).all()
    assert text.n_positions.tolist() == [6 * 16, 6 * 16]


def test_frequent_types_are_the_most_frequent():
    text = zipf_text()
    counts = np.bincount(text.token_ids[:, text.min_position :].ravel())
    assert counts[text.frequent_types(5)].tolist() == np.sort(counts)[::-1][:5].tolist()


def test_parts_and_positions_that_cannot_work_are_refused():
    ids = np.zeros((4, 8), dtype=int)
    with pytest.raises(ValueError, match="min_position=1 of contexts of 8 tokens"):
        index_text(ids, [0, 1, 0, 1], min_position=1)
    with pytest.raises(ValueError, match="both 0 and 1 are needed"):
        index_text(ids, [0, 0, 0, 0], min_position=3)
