"""The seed conventions beside ours: the stage on a finished tiny project, and what the rule would run."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from rare_neurons.replication.inputs import Tree
from rare_neurons.replication.layout import read_rows
from rare_neurons.replication.regimes import PUBLISHED_N
from rare_neurons.replication.statistics import shares
from rare_neurons.replication.words import WORDS
from rare_neurons.stages.replication import FIGURES, TABLES, write_replication
from tests.workflow.project import CONFIG
from tools.configuration import read_yaml

pytestmark = [pytest.mark.pipeline]

ROLES = ("predicted", "read")
QUESTIONS = read_yaml("config/analysis.yaml")["evidence"]["questions"]
OURS = CONFIG["panels"]["heldout"]
BY_INPUT = {**OURS, "token_role": "input"}
HALVES = {**BY_INPUT, "strata": {"top-half": {"types": [0.0, 0.5]}, "bottom-half": {"types": [0.5, 1.0]}}}


def relabelled(path: Path, target: Path, **labels: str) -> None:
    """Copy a table's rows of the held-out panel under other labels; where the target is there, append to it."""
    table = pq.read_table(path)
    if "panel" in labels:
        table = table.filter(pc.equal(table["panel"], "heldout"))
    for name, value in labels.items():
        if name in table.schema.names:
            i = table.schema.get_field_index(name)
            table = table.set_column(i, table.schema.field(i), pa.array([value] * table.num_rows))
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.concat_tables([pq.read_table(target), table]) if target.exists() else table, target)


def add_panel(results: Path, name: str, model: str) -> None:
    """Give every table the rows of the held-out panel once more, as if they came from another panel."""
    for table in ("influence", "cells"):
        for path in (results / table / "heldout" / model).glob("*.parquet"):
            relabelled(path, results / table / name / model / path.name, panel=name)
    shutil.copytree(results / "panel/heldout", results / "panel" / name)
    evidence = results / "timelines/evidence/tiny.parquet"
    for path in (*(results / "timelines").glob(f"*/{model}.parquet"), evidence):
        table = pq.read_table(path)
        if "panel" in table.schema.names:
            relabelled(path, path, panel=name)


def add_control(results: Path, name: str, model: str) -> None:
    """Give a second run the tables of the first."""
    for table in ("influence", "cells", "gradients"):
        for path in (results / table).glob(f"*/{model}/*.parquet"):
            relabelled(path, path.parents[1] / name / path.name, model=name)
    for path in (results / "timelines").glob(f"*/{model}.parquet"):
        relabelled(path, path.with_name(f"{name}.parquet"), model=name)


def replicate(folder: Path, results: Path, panels: dict, controls: list[str]) -> tuple[dict[str, str], list[Path]]:
    """Tables by key, and the figures."""
    png, svg = ([folder / f"{name}.{kind}" for name in FIGURES] for kind in ("png", "svg"))
    tree = Tree(str(results), "tiny", ["tiny-seed0"], controls, ["rare", "common"], panels)
    outputs = {kind: [str(p) for p in paths] for kind, paths in (("png", png), ("svg", svg))}
    write_replication(tables=str(folder / "tables.md"), **outputs, tree=tree)
    text = (folder / "tables.md").read_text()
    return dict(part.split("\n", 1) for part in text.split("## ")[1:]), [*png, *svg]


def test_every_table_and_figure_is_made_twice_alike(project, tmp_path):
    results = project.folder / "results"
    for name in ("by-input", "half", "half-redrawn"):
        add_panel(results, name, "tiny-seed0")
    controls = ["shuffled-seed10", "shuffled-seed11"]
    for control in controls:
        add_control(results, control, "tiny-seed0")
    strata = {**OURS["strata"], "rare": {"mass": [0.9, 0.99]}}
    panels = {"heldout": OURS, "by-input": BY_INPUT, "half": {**BY_INPUT, "strata": strata}}
    panels["half-redrawn"] = panels["half"]
    tables, figures = replicate(tmp_path / "one", results, panels, controls)
    assert [key for key in tables if not key.endswith("-words")] == list(TABLES)
    assert [key for key in tables if key.endswith("-words")] == [f"{key}-words" for key in WORDS]
    for key in TABLES:
        table = tables[key]
        rows = [line for line in table.splitlines() if line.startswith("|")]
        assert len(rows) > 2, key
        assert len({line.count("|") for line in rows}) == 1, key
        assert "nan" not in table, key
    # A panel that equals ours, and a control that equals the run, agree with them in every number.
    for _, predicted, read, crossed, _, shared, _ in read_rows(tables["roles"]):
        assert predicted == read == crossed
        assert len(set(shared.split(" of "))) == 1
    assert len({tuple(row[1:]) for row in read_rows(tables["roles"])}) == 1
    # The panel's strata are by the token predicted, whatever its label says.
    assert [line.split("|")[2:-1] for line in tables["role-positions"].strip().splitlines()[-3:]] == [
        [" 100.0 % ", " 0.0 % ", " 0.0 % ", " 0.0 % "],
        [" 0.0 % ", " 100.0 % ", " 0.0 % ", " 0.0 % "],
        [" 0.0 % ", " 0.0 % ", " 100.0 % ", " 0.0 % "],
    ]
    scatter = [line.split("|") for line in tables["scatter"].splitlines() if line.startswith("| rare (")]
    assert [float(cells[4]) for cells in scatter if cells[4].strip() != "–"] == [0.0]
    assert "not judged here" in tables["survives"]
    assert [
        len([line for line in tables["role-evidence"].splitlines() if f"| {role} |" in line]) for role in ROLES
    ] == [len([q for q in QUESTIONS.values() if q["stratum"] == "rare"])] * 2
    again, redrawn = replicate(tmp_path / "two", results, panels, controls)
    assert again == tables
    assert [p.read_bytes() for p in redrawn] == [p.read_bytes() for p in figures]


def test_without_further_panels_and_controls_the_tables_say_so(project, tmp_path):
    tables, figures = replicate(tmp_path / "made", project.folder / "results", {"heldout": OURS}, [])
    assert tables["roles"].strip() == "No panel with the strata of heldout by the token read."
    assert all(path.stat().st_size > 1000 for path in figures)


def test_the_fixed_cuts_are_the_published_shares_at_one_number_of_neurons():
    assert [round(100 * share, 1) for share in shares(plateau_end=33, decay_start=245, n=PUBLISHED_N)] == [
        1.7,
        10.9,
        87.4,
    ]


def test_the_rule_trains_and_probes_nothing_again(project):
    jobs = project.rules_run("--", "replication")
    assert jobs == {"replication": 1}
    project.configure(panels={"heldout": OURS, "by-input": BY_INPUT, "half": HALVES})
    jobs = project.rules_run("-n", "--", "replication")
    assert (jobs["panel"], jobs["probe"], jobs["replication"]) == (2, 2, 1)
    assert not {"pretrain", "resolve", "spectra", "null_tables"} & set(jobs)
