"""Every column of the table of heads has a meaning, and what may be undefined may be null."""

from dataclasses import fields
from typing import get_args, get_type_hints

from rare_neurons.columns import Column
from rare_neurons.numerics.layers.head_rows import HeadRow


def test_columns_have_meanings_and_values_may_be_null():
    hints = get_type_hints(HeadRow, include_extras=True)
    assert all(isinstance(get_args(hints[field.name])[1], Column) for field in fields(HeadRow))
    values = {name for name in hints if name.startswith("influence")}
    assert values
    assert all(type(None) in get_args(get_args(hints[name])[0]) for name in values)
