import pytest

from docs.make_tables import CAPTIONS, PAGES, filled
from rare_neurons.catalogue import TABLES, TIMELINES, load
from rare_neurons.tables import table_schema

EVERY = sorted({**TABLES, **TIMELINES})


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.parent.name)
def test_reference_tables_are_up_to_date(page):
    assert page.read_text() == filled(page, PAGES[page]()), f"{page.name} is out of date; run `make docs`"


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda p: p.stem)
def test_captions_of_the_report_are_those_of_the_registry(path):
    assert path.is_file() and path.read_text() == CAPTIONS[path], f"{path.name} is out of date; run `make docs`"  # noqa: PT018


@pytest.mark.parametrize("name", EVERY)
def test_every_column_says_its_unit_and_its_meaning(name):
    for field in table_schema(name):
        assert field.metadata[b"unit"], f"{name}.{field.name}"
        assert field.metadata[b"meaning"], f"{name}.{field.name}"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_what_computes_a_table_is_where_the_catalogue_says(name):
    assert callable(load(TABLES[name].computed_in))
