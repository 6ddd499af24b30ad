"""The shipped profile on a real SLURM gives the tables of a local run."""

import subprocess

import pytest

from tests.slurm.cluster import missing, running_cluster
from tests.workflow.project import make_project

LACKING = missing()
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(bool(LACKING), reason=f"no SLURM can be started here; missing: {', '.join(LACKING)}"),
]


@pytest.fixture
def environment(tmp_path):
    with running_cluster(tmp_path / "slurm") as variables:
        yield variables


def test_the_profile_runs_the_pipeline_and_its_tables_equal_a_local_runs(environment, tmp_path):
    local = make_project(tmp_path / "local")
    local.run()
    project = make_project(tmp_path / "cluster")
    project.variables = environment
    # What a site changes: no accounting here, one partition, small jobs, and a first look after five seconds.
    profile = "profiles/slurm/config.yaml"
    project.rewrite(profile, "# slurm-status-command", "slurm-status-command")
    project.rewrite(profile, "# slurm_partition", "slurm_partition")
    project.rewrite(profile, "status-checks: 20", "status-checks: 5")
    for megabytes in ("2000", "8000", "4000"):
        project.rewrite(profile, f"attempt * {megabytes}", "attempt * 1500")
    done = project.run("--workflow-profile", "profiles/slurm")
    assert done.stdout.count("has been submitted with SLURM jobid") >= 10
    assert project.tables() == local.tables()
    queue = subprocess.run(["squeue", "-h"], env=project.environment(), capture_output=True, text=True, check=True)
    assert queue.stdout == ""
