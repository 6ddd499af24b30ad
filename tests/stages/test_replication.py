import re

import pytest

from rare_neurons.replication.inputs import Tree
from rare_neurons.stages.replication import FIGURES, TABLES, write_replication
from tests.figures.tree import CONTROL, RUNS, SUBJECT, write_tree

PANEL = {"corpus": "texts", "tokenizer": "bpe", "strata": {"common": {}, "rare": {}}, "token_role": "target"}


@pytest.fixture
def written(tmp_path):
    results = write_tree(tmp_path / "results")
    tree = Tree(str(results), SUBJECT, RUNS, [CONTROL], ["rare", "common"], {"heldout": PANEL})
    paths = {kind: [str(tmp_path / f"{name}.{kind}") for name in FIGURES] for kind in ("png", "svg")}
    write_replication(tables=str(tmp_path / "tables.md"), **paths, tree=tree)
    return tmp_path


def test_every_table_has_its_section_and_every_figure_its_files(written):
    sections = re.split(r"^## ", (written / "tables.md").read_text(), flags=re.MULTILINE)[1:]
    assert [section.split("\n", 1)[0] for section in sections] == list(TABLES)
    by_key = dict(section.split("\n\n", 1) for section in sections)
    without = "No panel with the strata of heldout by the token read."
    for key, body in by_key.items():
        assert body.strip() == without if key.startswith("role") else body.startswith("| "), key
    for name in FIGURES:
        assert (written / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (written / f"{name}.svg").read_text()
