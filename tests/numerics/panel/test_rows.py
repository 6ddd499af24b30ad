from dataclasses import is_dataclass

import pytest

from rare_neurons.numerics.panel import rows
from rare_neurons.numerics.panel.targets import Targets
from rare_neurons.tables.schema import MEANING, row_schema

ROWS = sorted(name for name in vars(rows) if name.endswith("Row") and is_dataclass(getattr(rows, name)))


@pytest.mark.parametrize("name", ROWS)
def test_every_column_says_what_it_means(name):
    assert all(field.metadata[MEANING] for field in row_schema(name, getattr(rows, name)))


def test_a_target_has_the_columns_that_are_drawn():
    assert set(row_schema("TargetRow", rows.TargetRow).names) == {*Targets.__dataclass_fields__, "type_bin"}


@pytest.mark.parametrize("name", ["TokensRow", "ContextRow"])
def test_token_ids_are_stored_narrow(name):
    assert str(row_schema(name, getattr(rows, name)).field("token_ids").type.value_type) == "int32"


def test_an_id_that_no_token_spells_is_allowed():
    schema = row_schema("UnigramRow", rows.UnigramRow)
    assert [field.name for field in schema if field.nullable] == ["token"]
