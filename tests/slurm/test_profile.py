"""The shipped profile on a real SLURM gives the tables of a local run."""

import re

import pytest

from tests.faults.runs import started
from tests.slurm.site import WITH_PROFILE, join_cluster
from tests.workflow.project import RULE, make_project

pytestmark = pytest.mark.slurm


def test_the_profile_runs_the_pipeline_and_its_tables_equal_a_local_runs(cluster, tmp_path, request):
    project = make_project(tmp_path / "project", jobs={"checkpoints": 1})
    join_cluster(project, cluster)
    with started(project, *WITH_PROFILE) as run:
        finished = request.getfixturevalue("finished")  # the local run, meanwhile
        out = run.ends_with(0)
    assert project.tables() == finished.tables()
    assert cluster.queue() == {}
    jobs = cluster.jobs()
    rule_of = {job["JobId"]: re.fullmatch(r"rule_(.+?)(?:_wildcards_.*)?", job["Comment"])[1] for job in jobs}
    assert len(jobs) >= 10
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert all(job["JobName"].startswith("rare-neurons_") for job in jobs)
    # One job of the cluster is one job of the workflow, and one that asks for a GPU is a probe.
    assert out.count("has been submitted with SLURM jobid") == len(jobs)
    assert {rule_of[job["JobId"]] for job in jobs if "gpu" in job.get("TresPerNode", "")} == {"probe"}
    assert "resolve" in RULE.findall(out)
    assert not {"resolve", "timelines", "figures"} & set(rule_of.values())
