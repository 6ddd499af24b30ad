"""Tables of the catalogue, built from rows or columns and written under their schema and keys."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

from rare_neurons.tables.files import write_table
from rare_neurons.tables.schema import table_entry, table_schema

Columns = Mapping[str, Sequence[object]]


def empty_table(name: str) -> pa.Table:
    """Table of the catalogue with no rows."""
    return table_schema(name).empty_table()


def from_rows(name: str, rows: Sequence[object], place: Mapping[str, object] | None = None) -> pa.Table:
    """Build a table of the catalogue from row dataclasses (or mappings), with the columns of their place in front."""
    records = [{**(place or {}), **_record(row)} for row in rows]
    return pa.Table.from_pylist(records, schema=table_schema(name))


def _record(row: object) -> Mapping[str, object]:
    # Not `asdict`: it copies every value, for longer than it takes to write them.
    return {name: getattr(row, name) for name in _names(type(row))} if is_dataclass(row) else row


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def from_columns(name: str, place: Mapping[str, object], columns: Columns) -> pa.Table:
    """Build a table of the catalogue from equally long columns, beside one place for all rows."""
    schema = table_schema(name)
    n = len(next(iter(columns.values())))
    filled = {**{key: [value] * n for key, value in place.items()}, **columns}
    arrays = {column: pa.array(filled[column], type=schema.field(column).type) for column in schema.names}
    return pa.table(arrays, schema=schema)


def write_rows(name: str, table: pa.Table, path: Path | str, metadata: Mapping[str, object]) -> None:
    """Write a table of the catalogue, its rows in the order of place and keys.

    Raises
    ------
    ValueError
        If its columns are not those of the catalogue, or two rows have the same key.
    """
    schema = table_schema(name)
    if not table.schema.equals(schema):
        odd = sorted({*table.schema.names} ^ {*schema.names}) or [f.name for f in schema if f not in list(table.schema)]
        raise ValueError(f"table {name!r}: columns {', '.join(odd)} are not those of its row in the catalogue")
    entry = table_entry(name)
    write_table(table, path, metadata, keys=(*entry.place, *entry.keys))
