"""Faults of the disk: full, read-only, and a file that has lost its end."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.faults.runs import SPECTRA, forget_spectra
from tests.workflow.project import RULE, Project

pytestmark = pytest.mark.faults


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


def test_a_full_disk_leaves_no_half_written_file_and_a_later_run_resumes(project, finished, disk):
    results = project.folder / "results"
    shutil.rmtree(results)
    results.symlink_to(disk)
    out = project.run(expect=1).stdout
    assert "No space left on device" in out
    assert 0 < len(project.tables()) < len(finished.tables())
    assert all(pq.read_metadata(path) for path in disk.rglob("*.parquet"))
    assert not list(disk.rglob("*.part"))
    remount(disk, "size=200m")
    project.run()
    assert project.tables() == finished.tables()


def test_read_only_results_are_refused_before_any_job(project, finished, disk):
    results = project.folder / "results"
    remount(disk, "size=200m")
    forget_spectra(project)
    shutil.copytree(results, disk, dirs_exist_ok=True)
    shutil.rmtree(results)
    results.symlink_to(disk)
    before = project.tables()
    remount(disk, "ro")
    out = project.run(SPECTRA, expect=1).stdout
    assert "the results folder results cannot be written to (Read-only file system)" in out
    assert not RULE.findall(out)
    assert project.tables() == before
    remount(disk, "rw")
    project.run(SPECTRA)
    assert project.tables() == finished.tables()


def test_a_truncated_shard_is_noticed_and_made_again(project: Project, finished: Project):
    shard = "results/influence/heldout/tiny-seed0/step2.parquet"
    path = project.folder / shard
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 100)
    out = project.run(expect=1).stdout
    assert f"error: {shard} is damaged" in out
    assert not path.exists()
    project.run()
    assert project.tables() == finished.tables()
