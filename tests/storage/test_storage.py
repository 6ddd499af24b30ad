"""Without a shared file system the workflow ends in the same bytes."""

import shutil
from pathlib import Path

import pytest

from tests.workflow.project import CONFIG, copy_project

pytestmark = pytest.mark.storage

KEPT_NEAR = {"config.yaml", ".known.json", "pretrain/tiny-seed0/.lock"}
"""What is written only where results and configuration share a disk."""


def files_of(root: Path) -> dict[str, bytes]:
    """Bytes of every file but second names, marks of what was measured and Snakemake's own."""
    names = {path.relative_to(root): path for path in root.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in names.items()
        if name.parts[0] not in (".kept", ".measured") and name.name != ".snakemake_timestamp"
    }


def test_two_workers_that_share_nothing_end_in_the_files_of_one_machine(far, finished):
    far.run()
    here, there = files_of(finished.folder / "results"), files_of(far.storage / "results")
    assert {name for name in here if not name.startswith("logs/")} - KEPT_NEAR <= there.keys()
    differing = [name for name in there.keys() & here.keys() if there[name] != here[name]]
    assert [name for name in differing if not name.startswith("logs/")] == []
    assert len([name for name in there if name.endswith(".parquet")]) == len(finished.tables())
    assert all(far.commands()), "each worker had something to do"
    assert str(far.folder) not in str(far.commands()), "no job is told where the project lies"
    assert not list(far.folder.rglob("*.parquet")), "nothing was kept where the workflow was started"
    assert "Nothing to be done" in far.run().stdout


def test_weights_that_lie_in_storage_are_measured_as_local_ones(far, finished, tmp_path):
    near = copy_project(finished, tmp_path / "near")
    trained = finished.folder / "results/pretrain/tiny-seed0"
    for root in (near.folder, far.storage):
        shutil.copytree(trained, root / "runs")
    own = {"source": "folder", "path": "runs/step{step}", "tokenizer": "bpe", "steps": [0, 4], "n_neurons": 64}
    target = [f"results/{table}/own/step4.parquet" for table in ("spectra", "set_spectra/heldout")]
    for project in (near, far):
        project.configure(models=CONFIG["models"] | {"own": own})
        project.run("--", *target)
    for name in (*target, "results/manifest/own/step4.json"):
        assert (near.folder / name).read_bytes() == (far.storage / name).read_bytes()


def test_steps_that_cannot_be_listed_are_refused(far):
    own = {"source": "folder", "path": "runs/step{step}", "tokenizer": "bpe", "steps": "found"}
    far.configure(models=CONFIG["models"] | {"own": own})
    out = far.run("--dry-run", expect=1).stdout
    assert "model own: steps: found, but runs/step{step} lies in storage" in out
