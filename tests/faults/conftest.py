"""One cluster for the whole fault suite, and a finished run whose jobs are of one checkpoint: more of them to hit."""

from pathlib import Path

import pytest
from filelock import FileLock

from tests.slurm.fixtures import cluster, running
from tests.workflow.project import Project, copy_project

__all__ = ["cluster", "running"]


@pytest.fixture(scope="session")
def one_by_one(finished: Project, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """The finished run as one process for every checkpoint makes it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "one-by-one"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            project = copy_project(finished, folder)
            project.configure(jobs={"checkpoints": 1})
            project.run()
    return Project(folder)


@pytest.fixture
def project(one_by_one: Project, tmp_path: Path) -> Project:
    """A copy of it."""
    project = copy_project(one_by_one, tmp_path / "project")
    project.own_processes = True
    return project
