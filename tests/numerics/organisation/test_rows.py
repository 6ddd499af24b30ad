from dataclasses import fields
from typing import get_type_hints

import pytest

from rare_neurons.numerics.organisation.interaction import SetRow
from rare_neurons.numerics.organisation.rows import OrganisationRow, OverlapRow


@pytest.mark.parametrize("row", [OrganisationRow, OverlapRow, SetRow])
def test_every_column_has_a_unit_or_none_and_a_meaning(row):
    assert fields(row)[0].name == "stratum"
    hints = get_type_hints(row, include_extras=True)
    assert all(hints[field.name].__metadata__[0].meaning for field in fields(row))
