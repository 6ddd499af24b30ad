"""A project whose jobs run in the folders of two workers and share nothing with it but a storage."""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.workflow.project import Project, make_project

PLUGIN = Path(__file__).parent / "plugin"


@dataclass
class FarProject(Project):
    """Run by Snakemake with the executor of this folder and the file-system storage plugin."""

    workers: tuple[Path, ...] = ()
    storage: Path = Path()

    def command(self, *arguments: str) -> list[str]:
        where = ["--default-storage-provider", "fs", "--default-storage-prefix", str(self.storage)]
        how = ["--executor", "workers", "--jobs", str(len(self.workers)), "--shared-fs-usage", "none"]
        patience = ["--seconds-between-status-checks", "1", "--retries", "0"]
        return [sys.executable, "-m", "snakemake", *how, "--local-cores", "1", *where, *patience, *arguments]

    def environment(self) -> dict[str, str]:
        packages = sysconfig.get_path("purelib")
        known = {"PYTHONPATH": os.pathsep.join([str(PLUGIN), packages]), "TEST_PACKAGES": packages}
        # A worker's image has an interpreter called python.
        known["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {**os.environ, **known, "TEST_WORKERS": os.pathsep.join(map(str, self.workers)), **self.variables}

    def commands(self) -> list[list[str]]:
        """What each worker was told to do."""
        return [(worker / "commands.txt").read_text().splitlines() for worker in self.workers]


@pytest.fixture
def far(tmp_path: Path) -> FarProject:
    """A project without results, and an empty storage."""
    if shutil.which("rsync") is None:
        pytest.skip("the storage plugin copies with rsync, which is not installed here")
    near = make_project(tmp_path / "project")
    # Snakemake sends what git knows of; nothing needs to be committed.
    for command in (["init", "--quiet"], ["add", "Snakefile", "workflow", "config", "src"]):
        subprocess.run(["git", *command], cwd=near.folder, check=True)
    workers = tuple(tmp_path / f"worker{number}" for number in (1, 2))
    for folder in (*workers, tmp_path / "storage"):
        folder.mkdir()
    return FarProject(near.folder, own_processes=True, workers=workers, storage=tmp_path / "storage")
