"""Rows are told apart and ordered by their keys; the order in a file is checked, never trusted."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def in_order(table: pa.Table, keys: Sequence[str]) -> bool:
    """Whether rows strictly rise by their keys, compared from the first key to the last; nulls come last."""
    if table.num_rows < 2 or not keys:
        return True
    rises = np.zeros(table.num_rows - 1, dtype=bool)
    equal = ~rises
    for key in keys:
        rank = _ranks(table[key])
        rises |= equal & (rank[1:] > rank[:-1])
        equal &= rank[1:] == rank[:-1]
    return bool(rises.all())


def sort_rows(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Sort rows by their keys, where they are not in order.

    Raises
    ------
    ValueError
        If two rows have the same key, naming it.
    """
    if in_order(table, keys):
        return table
    table = table.sort_by([(key, "ascending") for key in keys])
    if not in_order(table, keys):
        found = table.select(list(keys)).group_by(list(keys)).aggregate([([], "count_all")])
        twice = found.filter(pc.greater(found["count_all"], 1)).drop_columns("count_all").slice(0, 1).to_pylist()
        raise ValueError(f"two rows have the key {twice[0]}")
    return table


def _ranks(column: pa.ChunkedArray) -> np.ndarray:
    """Integers in the order of the values; a null is the largest."""
    if pa.types.is_string(column.type):
        codes = column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        codes = codes.unify_dictionaries().combine_chunks()
        words = codes.dictionary.to_pylist()
        rank = np.argsort(np.argsort(np.array(words))) if words else np.zeros(0, dtype=np.int64)
        indices = codes.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
        return np.append(rank, len(words))[indices]
    if pa.types.is_floating(column.type):
        # NaN, where a law has no such parameter, is one value, the last but null.
        return np.unique(column.fill_null(np.nan).to_numpy(), return_inverse=True)[1] + _nulls(column)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int64())
    return column.fill_null(np.iinfo(np.int64).max).to_numpy()


def _nulls(column: pa.ChunkedArray) -> np.ndarray:
    return len(column) * column.is_null().to_numpy().astype(np.int64)
