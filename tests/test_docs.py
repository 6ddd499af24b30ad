import pytest

from docs.make_tables import CAPTIONS, PAGES, filled
from rare_neurons.catalogue import TABLES, TIMELINES, load
from rare_neurons.tables import table_schema

EVERY = sorted({**TABLES, **TIMELINES})


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.parent.name)
def test_reference_tables_are_up_to_date(page):
    assert page.read_text() == filled(page, PAGES[page]()), f"{page.name} is out of date; run `make docs`"


def test_captions_of_the_report_are_those_of_the_registry():
    for path, text in CAPTIONS.items():
        assert path.is_file(), f"{path.name} is missing; run `make docs`"
        assert path.read_text() == text, f"{path.name} is out of date; run `make docs`"


def test_every_column_says_its_unit_and_its_meaning():
    for name in EVERY:
        for field in table_schema(name):
            assert field.metadata[b"unit"], f"{name}.{field.name}"
            assert field.metadata[b"meaning"], f"{name}.{field.name}"


def test_what_computes_a_table_is_where_the_catalogue_says():
    for name, table in TABLES.items():
        assert callable(load(table.computed_in)), name
