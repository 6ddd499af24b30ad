from dataclasses import dataclass
from typing import Annotated

import pyarrow as pa
import pytest

from rare_neurons import catalogue
from rare_neurons.columns import Column
from rare_neurons.tables import table_entry, table_schema
from rare_neurons.tables.schema import row_schema


@dataclass(frozen=True)
class Row:
    n: Annotated[int, Column("neurons", "how many")]
    x: Annotated[float | None, Column(None, "a ratio")]
    ok: Annotated[bool, Column(None, "a flag")]
    values: Annotated[list[float], Column("nats", "a list", "float32")]


def test_schemas_follow_from_rows_with_units_and_meanings():
    schema = row_schema("t", Row)
    assert [(f.name, f.type, f.nullable) for f in schema] == [
        ("n", pa.int64(), False),
        ("x", pa.float64(), True),
        ("ok", pa.bool_(), False),
        ("values", pa.list_(pa.float32()), False),
    ]
    assert schema.field("n").metadata == {b"unit": b"neurons", b"meaning": b"how many"}
    assert schema.field("x").metadata[b"unit"] == b"none"


def test_a_column_without_a_unit_is_refused_by_name():
    @dataclass(frozen=True)
    class Bare:
        x: float

    with pytest.raises(TypeError, match=r"t\.x: .* says neither unit nor meaning"):
        row_schema("t", Bare)


def test_a_field_without_arrow_type_is_named():
    @dataclass(frozen=True)
    class Odd:
        x: Annotated[complex, Column(None, "none")]

    with pytest.raises(TypeError, match=r"t\.x: .*complex.* has no Arrow type"):
        row_schema("t", Odd)


def test_timelines_end_with_what_lead_and_lag_are_read_against():
    assert table_schema("timelines/regimes").names[-4:] == ["tokens_seen", "loss", "checkpoint_status", "quarantined"]
    assert table_schema("timelines/behaviour").names.count("loss") == 1


def test_an_unknown_table_says_what_there_is():
    with pytest.raises(ValueError, match=r"unknown table 'loss'; known: text, .*timelines/behaviour"):
        table_entry("loss")


def test_keys_are_columns_of_their_table():
    for name in (*catalogue.TABLES, *catalogue.TIMELINES):
        entry = table_entry(name)
        assert {*entry.place, *entry.keys} <= set(table_schema(name).names), name
