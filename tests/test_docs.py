import pytest

from docs.columns import COLUMNS, TABLES
from docs.make_tables import PAGES, filled
from rare_neurons.stages.timelines import CHANGES


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.parent.name)
def test_reference_tables_are_up_to_date(page):
    assert page.read_text() == filled(page, PAGES[page]()), f"{page.name} is out of date; run `make docs`"


def test_every_column_is_documented_and_no_other():
    written = {field.name for _, _, schema in TABLES.values() for field in schema}
    assert written <= set(COLUMNS), f"document {sorted(written - set(COLUMNS))} in docs/columns.py"
    joined = {"tokens_seen", "checkpoint_status", *(f"{name}_change" for name in CHANGES)}
    assert set(COLUMNS) - written == joined
