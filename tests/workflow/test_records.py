"""Snakemake's records: one file for all outputs of a job, or one database."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import pytest

from tests.workflow.project import CONFIG

pytestmark = pytest.mark.pipeline

DB = ("--persistence-backend", "db")


def test_records_in_a_database_say_what_was_run_with_which_parameters(project, finished):
    # The copied folder has files as records, which the database does not know: the results speak for themselves.
    assert "Nothing to be done" in project.run(*DB).stdout
    target = "results/null_tables/64.parquet"
    assert project.rules_run(*DB, "--force", "--", target)["null_tables"] == 1
    assert not project.rules_run(*DB, "--dry-run", "--", target)
    project.configure(regimes=CONFIG["regimes"] | {"n_draws": 101})
    out = project.run(*DB, "--dry-run", "--", target).stdout
    assert "Params have changed since last execution" in out
    assert (project.folder / ".snakemake/metadata.db").exists()


def record(folder: Path, path: str) -> Path:
    return folder / ".snakemake/metadata" / urlsafe_b64encode(path.encode()).decode()


def test_outputs_of_a_job_share_a_record_and_another_job_leaves_the_others_theirs(project):
    def of(table: str, step: int) -> Path:
        return record(project.folder, f"results/{table}/heldout/tiny-seed0/step{step}.parquet")

    # The copied folder has copies of the records.
    target = "results/influence/heldout/tiny-seed0/step2.parquet"
    project.run("--force", "--", target)
    assert len({of(table, step).stat().st_ino for table in ("influence", "moments") for step in (0, 2, 4)}) == 1
    # Nothing is left of how they came to share it.
    names = [path.name for path in of("cells", 4).parent.iterdir() if path.is_file()]
    assert not [name for name in names if name.endswith("~") or urlsafe_b64decode(name).endswith(b"~")]
    before = of("cells", 4).read_text()
    project.configure(jobs={"checkpoints": 1})
    project.run("--force", "--", target)
    assert of("influence", 2).samefile(of("moments", 2))
    assert len(json.loads(of("influence", 2).read_text())["input"]) < len(json.loads(before)["input"])
    assert of("influence", 0).samefile(of("cells", 4))
    assert of("cells", 4).read_text() == before
