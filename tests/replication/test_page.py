import pytest

from docs.make_replication import BLOCK, FIGURES, PAGE, SHOWN, filled, read_tables
from rare_neurons.stages.replication import TABLES


def loose_rows(page: str) -> list[str]:
    """Lines of tables that no marker says where they come from."""
    return [line for line in BLOCK.sub("", page).splitlines() if line.startswith("|")]


def test_every_table_of_the_page_is_made_by_the_pipeline():
    page = PAGE.read_text()
    assert loose_rows(page) == []
    blocks = BLOCK.findall(page)
    assert [key for key, _ in blocks] == list(TABLES)
    for key, table in blocks:
        assert len([line for line in table.splitlines() if line.startswith("|")]) > 2, f"run `make replication`: {key}"


def test_a_table_written_by_hand_is_found():
    assert loose_rows(PAGE.read_text() + "| by | hand |\n") == ["| by | hand |"]


def test_filling_the_page_changes_tables_alone():
    page = PAGE.read_text()
    tables = {key: f"| {key} |\n| --- |\n| 1 |" for key in TABLES}
    changed = filled(page, tables)
    assert BLOCK.sub("", changed) == BLOCK.sub("", page)
    assert {key: body.strip() for key, body in BLOCK.findall(changed)} == tables
    assert filled(changed, {key: body.strip() for key, body in BLOCK.findall(page)}) == page


def test_a_table_that_is_missing_is_named():
    with pytest.raises(KeyError, match="window"):
        filled(PAGE.read_text(), read_tables("## fractions\n\n| a |\n"))


def test_figures_of_the_page_are_there():
    page = PAGE.read_text()
    assert all((FIGURES / name).stat().st_size > 1000 and f"figures/{name}" in page for name in SHOWN.values())
