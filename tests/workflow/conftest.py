"""One finished run of a tiny pipeline, shared by the tests of a worker, and copies of it to play with."""

from pathlib import Path

import pytest

from tests.workflow.project import Project, copy_project, make_project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished run; tests copy it and leave it as it is."""
    project = make_project(tmp_path_factory.mktemp("finished") / "project")
    project.run()
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished run."""
    return copy_project(finished, tmp_path / "project")
