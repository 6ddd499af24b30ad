"""Every column of the tables has a meaning."""

from dataclasses import fields
from typing import get_args, get_type_hints

import pytest

from rare_neurons.columns import Column
from rare_neurons.numerics.allocation.rows import AllocationChangeRow, AllocationRow


@pytest.mark.parametrize("row", [AllocationRow, AllocationChangeRow])
def test_columns_have_one_meaning_each(row):
    hints = get_type_hints(row, include_extras=True)
    for field in fields(row):
        (column,) = [part for part in get_args(hints[field.name])[1:] if isinstance(part, Column)]
        assert column.meaning
