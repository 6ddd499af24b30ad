"""One finished run of a tiny pipeline, shared by all tests, and copies of it to play with."""

from pathlib import Path

import pytest
from filelock import FileLock

from tests.workflow.project import Project, copy_project, make_project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is long, so that no worker ends long after another: groups, other pipelines, then the rest."""
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("xdist_group", "pipeline")])


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """A finished run, made once for all workers; tests copy it and leave it as it is."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "finished"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            project = make_project(folder)
            project.run()
    return Project(folder)


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished run."""
    return copy_project(finished, tmp_path / "project")
