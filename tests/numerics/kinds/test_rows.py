from dataclasses import fields
from typing import get_type_hints

import pytest

from rare_neurons.numerics.kinds.census import KindRow
from rare_neurons.numerics.kinds.rows import ExampleRow, ReadoutRow


@pytest.mark.parametrize("row", [KindRow, ReadoutRow, ExampleRow])
def test_every_column_has_a_meaning_and_lists_say_how_they_are_stored(row):
    hints = get_type_hints(row, include_extras=True)
    for field in fields(row):
        kind, column = hints[field.name].__origin__, hints[field.name].__metadata__[0]
        assert column.meaning
        assert (column.storage == "int32") == (kind == list[int])
