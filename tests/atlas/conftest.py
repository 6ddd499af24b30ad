"""The hand-made results tree with what else the atlas reads, and what is known of it."""

from pathlib import Path

import pyarrow as pa
import pytest

from rare_neurons.atlas.tree import Tree, find_subjects
from rare_neurons.tables import find_tables, read_table, write_table
from tests.figures.tree import write, write_tree

TOKENS_OF_STEP = 1000


def _with(path: Path, **columns: object) -> None:
    """Add columns to a table: values, or functions of a row."""
    rows = read_table(path).to_pylist()
    grown = [{**row, **{k: v(row) if callable(v) else v for k, v in columns.items()}} for row in rows]
    write_table(pa.Table.from_pylist(grown), path, {})


@pytest.fixture(scope="session")
def atlas_results(tmp_path_factory):
    """The tree; not to be changed."""
    folder = write_tree(tmp_path_factory.mktemp("atlas") / "results")
    for path in find_tables(folder, "influence").values():
        _with(path, influence_within=lambda row: row["influence"] / 4, influence_within_se=5e-6)
    for path in find_tables(folder, "timelines/behaviour").values():
        _with(path, tokens_seen=lambda row: row["step"] * TOKENS_OF_STEP)
    strata = [
        {"stratum": "common", "largest_count": 90, "training_mass": 0.75},
        {"stratum": "rare", "largest_count": 3, "training_mass": 0.25},
    ]
    write(folder, "panel/heldout/strata.parquet", strata)
    return folder


@pytest.fixture
def tree(atlas_results):
    return Tree(atlas_results, find_subjects(atlas_results), "heldout")
