"""Every column says what it is."""

from dataclasses import fields
from typing import get_type_hints

import pytest

from rare_neurons.columns import Column
from rare_neurons.numerics.layers.rows import LayerAuditRow, LayerInfluenceRow


@pytest.mark.parametrize("row", [LayerInfluenceRow, LayerAuditRow])
def test_every_column_has_a_meaning(row):
    hints = get_type_hints(row, include_extras=True)
    for field in fields(row):
        columns = [part for part in hints[field.name].__metadata__ if isinstance(part, Column)]
        assert len(columns) == 1
        assert columns[0].meaning
