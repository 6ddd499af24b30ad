"""The table's columns are described."""

from dataclasses import fields
from typing import get_type_hints

from rare_neurons.columns import Column
from rare_neurons.numerics.claims.rows import ActivityEvidenceRow


def test_every_column_has_a_meaning():
    hints = get_type_hints(ActivityEvidenceRow, include_extras=True)
    meanings = {
        f.name: [m for m in hints[f.name].__metadata__ if isinstance(m, Column)] for f in fields(ActivityEvidenceRow)
    }
    assert all(len(found) == 1 and found[0].meaning for found in meanings.values())
