"""Arrow schemas from rows: types, units and meanings are those of the row's annotated fields."""

from dataclasses import fields
from functools import cache
from types import NoneType
from typing import Annotated, get_args, get_origin, get_type_hints

import pyarrow as pa

from rare_neurons.catalogue import TABLES, TIMELINES, Table, load
from rare_neurons.columns import PLACE, Column, Joined

_ARROW = {float: pa.float64(), int: pa.int64(), str: pa.string(), bool: pa.bool_()}
_STORAGE = {"float32": pa.float32(), "int32": pa.int32()}
UNIT, MEANING = b"unit", b"meaning"
NO_UNIT = "none"


@cache
def table_schema(name: str) -> pa.Schema:
    """Arrow schema of a table of the catalogue, or of a quantity's timeline (``timelines/{quantity}``).

    Columns are those of the table's place, of its row and, in a timeline, of `Joined`; each field's metadata hold unit
    and meaning.
    """
    entry = table_entry(name)
    known = [(column, PLACE[column]) for column in entry.place]
    known += _hints(load(entry.row))
    if name in TIMELINES:
        have = {column for column, _ in known}
        known += [(column, hint) for column, hint in _hints(Joined) if column not in have]
    return pa.schema([_field(name, column, hint) for column, hint in known])


def row_schema(name: str, row: type) -> pa.Schema:
    """Arrow schema of a row dataclass alone.

    Raises
    ------
    TypeError
        If a field has no `Column`, or a type that Arrow has not.
    """
    return pa.schema([_field(name, column, hint) for column, hint in _hints(row)])


def table_entry(name: str) -> Table:
    """Return the catalogue's entry of a table or timeline."""
    known = {**TABLES, **TIMELINES}
    if name not in known:
        raise ValueError(f"unknown table {name!r}; known: {', '.join(known)}")
    return known[name]


def _hints(row: type) -> list[tuple[str, object]]:
    hints = get_type_hints(row, include_extras=True)
    return [(field.name, hints[field.name]) for field in fields(row)]


def _field(table: str, column: str, hint: object) -> pa.Field:
    if get_origin(hint) is not Annotated or not isinstance(get_args(hint)[1], Column):
        raise TypeError(f"{table}.{column}: {hint} says neither unit nor meaning; annotate it with a Column")
    plain, about = get_args(hint)[:2]
    kinds = [kind for kind in (get_args(plain) if get_origin(plain) is not list else ()) if kind is not NoneType]
    kind = kinds[0] if len(kinds) == 1 else plain
    try:
        arrow = _arrow(kind, about)
    except KeyError:
        allowed = ", ".join(k.__name__ for k in _ARROW)
        raise TypeError(f"{table}.{column}: {plain} has no Arrow type; use one of {allowed}, a list of one") from None
    unit = NO_UNIT if about.unit is None else about.unit
    return pa.field(column, arrow, nullable=bool(kinds), metadata={UNIT: unit, MEANING: about.meaning})


def _arrow(kind: object, about: Column) -> pa.DataType:
    if get_origin(kind) is not list:
        return _ARROW[kind]
    (value,) = get_args(kind)
    return pa.list_(_ARROW[value] if about.storage is None else _STORAGE[about.storage])
