import re

import pytest

from rare_neurons.replication.inputs import Tree
from rare_neurons.replication.layout import read_rows
from rare_neurons.replication.words import WORDS
from rare_neurons.stages.replication import FIGURES, OF_ACTIVITY, TABLES, write_replication
from tests.replication.tree import CONTROLS, RUNS, SUBJECT, write_replicated

PANEL = {"corpus": "texts", "tokenizer": "bpe", "strata": {"common": {}, "rare": {}}, "token_role": "target"}


@pytest.fixture
def written(tmp_path):
    results = write_replicated(tmp_path / "results", panels=["heldout"])
    tree = Tree(str(results), SUBJECT, RUNS, CONTROLS, ["rare", "common"], {"heldout": PANEL})
    paths = {kind: [str(tmp_path / f"{name}.{kind}") for name in FIGURES] for kind in ("png", "svg")}
    write_replication(tables=str(tmp_path / "tables.md"), **paths, tree=tree)
    return tmp_path


def test_every_table_has_its_section_its_sentences_and_every_figure_its_files(written):
    sections = re.split(r"^## ", (written / "tables.md").read_text(), flags=re.MULTILINE)[1:]
    by_key = {key: body.strip() for key, body in (section.split("\n\n", 1) for section in sections)}
    without = "No panel with the strata of heldout by the token read."
    by_input = [key for key in TABLES if key.startswith("role")]
    expected = [[key, f"{key}-words"] if key in WORDS and key not in by_input else [key] for key in TABLES]
    assert list(by_key) == [key for keys in expected for key in keys]
    for key in TABLES:
        body = by_key[key]
        if key in OF_ACTIVITY:
            assert body == "Section activity of the configuration declares no checkpoints."
        else:
            assert body == without if key in by_input else body.startswith("| "), key
        if f"{key}-words" in by_key:
            assert by_key[f"{key}-words"] == WORDS[key](read_rows(body))
    for name in FIGURES:
        assert (written / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (written / f"{name}.svg").read_text()
