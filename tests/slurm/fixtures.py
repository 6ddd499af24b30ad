"""Fixtures of the tests that need a cluster: one cluster for all of them."""

from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster, missing, running_cluster


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running cluster; skips, with what is missing, where none can be started."""
    lacking = missing()
    if lacking:
        pytest.skip(f"no SLURM can be started here; missing: {', '.join(lacking)}")
    with running_cluster(tmp_path_factory.mktemp("slurm") / "cluster") as cluster:
        yield cluster


@pytest.fixture
def cluster(running: Cluster) -> Iterator[Cluster]:
    """The cluster, empty and with all its nodes before a test."""
    running.wait_until_idle()
    yield running
    running.ask("scancel", "--user=root")
