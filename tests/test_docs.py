import json
import re

import pytest

from docs import make_demo
from docs.make_tables import PAGES, filled
from rare_neurons.catalogue import TABLES, TIMELINES, load
from rare_neurons.tables import table_schema

EVERY = sorted({**TABLES, **TIMELINES})


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.parent.name)
def test_reference_tables_are_up_to_date(page):
    assert page.read_text() == filled(page, PAGES[page]()), f"{page.name} is out of date; run `make docs`"


@pytest.mark.parametrize("name", EVERY)
def test_every_column_says_its_unit_and_its_meaning(name):
    for field in table_schema(name):
        assert field.metadata[b"unit"], f"{name}.{field.name}"
        assert field.metadata[b"meaning"], f"{name}.{field.name}"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_what_computes_a_table_is_where_the_catalogue_says(name):
    assert callable(load(TABLES[name].computed_in))


def test_what_the_readme_says_of_the_demo_follows_from_its_tables():
    page = make_demo.PAGE.read_text()
    assert page == make_demo.filled(page, json.loads(make_demo.FACTS.read_text()))


def test_another_result_makes_another_readme():
    facts = json.loads(make_demo.FACTS.read_text())
    for row in facts["evidence"]:
        row["holds"], row["reached"] = False, None
    text = "\n".join(make_demo.sentences(facts))
    assert not re.search("other seeds|beyond", text)
    assert "no change is found" in text
