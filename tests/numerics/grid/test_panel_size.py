import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rare_neurons.numerics.grid.panel_size import effective_count, judge_panel_size


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=50).filter(any))
def test_effective_count_lies_between_one_and_the_number_present(counts):
    found = effective_count(counts)
    assert 1 - 1e-12 <= found <= np.count_nonzero(counts) + 1e-9
    assert effective_count([3 * n for n in counts]) == pytest.approx(found)


@pytest.mark.parametrize(
    ("documents", "types", "status", "named"),
    [
        (100, 200, "ok", ""),
        (20, 200, "few", "20.0 effective documents"),
        (20, 25, "few", "20.0 effective documents and 25.0 effective token types"),
        (11, 25, "too_few", "11.0 effective documents, but fewer than 12"),
        (12, 30, "few", "12.0 effective documents, but fewer than 30"),
    ],
)
def test_refusal_warning_and_their_words(documents, types, status, named):
    size = judge_panel_size(document_counts=np.full(documents, 4), type_counts=np.full(types, 2))
    assert (size.status, size.n_documents_effective, size.n_types_effective) == (status, documents, types)
    assert named in size.reason
    assert bool(size.reason) == (status != "ok")


def test_without_targets_there_is_no_number():
    with pytest.raises(ValueError, match="not all zero"):
        effective_count([0, 0])
