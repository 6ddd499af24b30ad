import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rare_neurons.tables.keyed import in_order, sort_rows

ROWS = st.lists(
    st.tuples(st.sampled_from(["b", "a", "ä", ""]), st.one_of(st.none(), st.integers(-3, 3))), unique=True, max_size=20
)


def plain_order(row):
    """Nulls last, as in the table."""
    return (row[0], row[1] is None, row[1] or 0)


@given(ROWS)
def test_rows_are_sorted_as_python_sorts_them(rows):
    table = pa.table({"word": [w for w, _ in rows], "n": pa.array([n for _, n in rows], pa.int64())})
    ordered = sort_rows(table, ("word", "n"))
    assert [tuple(row.values()) for row in ordered.to_pylist()] == sorted(rows, key=plain_order)
    assert in_order(ordered, ("word", "n"))
    assert in_order(table, ("word", "n")) == (rows == sorted(rows, key=plain_order))


def test_a_parameter_that_a_law_has_not_is_a_key_like_others():
    table = pa.table({"shape": [np.inf, np.nan, 1.0], "n": [1, 1, 1]})
    assert sort_rows(table, ("n", "shape"))["shape"].to_pylist()[:2] == [1.0, np.inf]
    twice = pa.table({"shape": [np.nan, np.nan]})
    assert not in_order(twice, ("shape",))


def test_flags_are_keys_too():
    table = pa.table({"flag": [True, None, False], "n": [1, 1, 1]})
    assert sort_rows(table, ("n", "flag"))["flag"].to_pylist() == [False, True, None]


def test_two_rows_of_one_key_are_named():
    with pytest.raises(ValueError, match=r"two rows have the key \{'n': 2\}"):
        sort_rows(pa.table({"n": [2, 1, 2]}), ("n",))


def test_without_keys_any_order_is_the_files_own():
    assert in_order(pa.table({"n": [2, 1]}), ())
