import numpy as np
import pytest

from rare_neurons.replication.inputs import Tree
from tests.replication.tree import CONTROLS, RUNS, SUBJECT, write, write_replicated

STRATA = {"common": {"mass": [0.0, 0.5]}, "rare": {"mass": [0.5, 1.0]}}
OURS = {"corpus": "texts", "tokenizer": "bpe", "strata": STRATA, "token_role": "target"}
BY_INPUT = {**OURS, "token_role": "input"}
HALVES = {**BY_INPUT, "strata": {"top": {"types": [0.0, 0.5]}, "rare": {"types": [0.5, 1.0]}}}
PANELS = {"heldout": OURS, "by-input": BY_INPUT, "half": HALVES, "half-redrawn": HALVES}


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """The hand-made tree with panels by the token read; not to be changed."""
    folder = write_replicated(tmp_path_factory.mktemp("replicated"), panels=tuple(PANELS))
    counts = [60, 20, 12, 8, 0]  # id 0 alone is common, ids 1-3 are rare, id 4 is never seen
    write(folder, "corpus/texts/bpe/unigram.parquet", [{"token_id": i, "count": c} for i, c in enumerate(counts)])
    read = np.repeat(["common", "rare"], 4)
    predicted = [0, 0, 1, 4, 0, 2, 2, 3]
    targets = [{"target_id": i, "stratum": s} for i, s in zip(predicted, read.tolist(), strict=True)]
    write(folder, "panel/by-input/targets.parquet", targets)
    return folder


@pytest.fixture(scope="session")
def tree(results):
    return Tree(str(results), SUBJECT, RUNS, CONTROLS, ("rare", "common"), PANELS)


@pytest.fixture
def cells():
    """A function from Markdown to rows of cells, without the two lines of the header."""

    def read(table: str) -> list[list[str]]:
        return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]

    return read
