"""One finished run of a tiny pipeline, shared by all tests, and copies of it to play with."""

import gc
import importlib
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest
from filelock import FileLock

from tests.workflow.project import Project, copy_project, make_project

LONGEST = (
    *(f"workflow/test_{name}.py" for name in ("hub_faults", "planted")),
    "hostile/test_corpus.py",
    *(f"workflow/test_{name}.py" for name in ("reruns", "hub", "faults", "batches", "extending", "families")),
    "test_notebooks.py",
)
"""Files that take longest. The first does without the finished run, which one worker makes while the other waits."""


OF_TESTS = (
    *("pandas", "scipy.stats", "scipy.optimize", "networkx", "matplotlib.pyplot", "pyarrow.parquet", "altair"),
    *("snakemake.cli", "hypothesis.strategies", "sklearn.feature_selection", "datasets", "huggingface_hub"),
)
"""What tests import beside torch and transformers."""


def pytest_configure(config: pytest.Config) -> None:
    """Let every other worker begin with other packages than torch, with which collection begins.

    In a fresh environment workers that start together would compile the same modules at the same time; so each finds
    half of them compiled by another.
    """
    number = getattr(config, "workerinput", {"workerid": "gw0"})["workerid"].removeprefix("gw")
    for name in OF_TESTS if int(number) % 2 else ():
        with suppress(ImportError):  # of an extra, whose tests are skipped then
            importlib.import_module(name)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage in what tests import, which stays: a million objects, gone through again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is long, so that no worker ends long after another."""

    def rank(item: pytest.Item) -> tuple[int, bool]:
        name = item.path.relative_to(Path(__file__).parent).as_posix()
        return LONGEST.index(name) if name in LONGEST else len(LONGEST), item.get_closest_marker("pipeline") is None

    items.sort(key=rank)


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
