"""Faults of a cluster, on a real SLURM: afterwards the tables are those of an undisturbed run."""

import shutil
import signal

import pytest
import yaml

from tests.faults.runs import HOLD, SPECTRA, forget_spectra, held, let_go, plant, started, wait_until_held
from tests.slurm.processes import wait_for
from tests.slurm.site import PROFILE, WITH_PROFILE, join_cluster
from tests.workflow.project import Project

pytestmark = pytest.mark.faults

N_SHARDS = 3
TO_SPECTRA = (*WITH_PROFILE, SPECTRA)


@pytest.fixture
def on_cluster(project: Project, cluster) -> Project:
    """A finished project whose spectra are to be made again, on the cluster."""
    join_cluster(project, cluster)
    forget_spectra(project)
    return project


def jobs_of(cluster, comment: str) -> list[dict[str, str]]:
    """The cluster's jobs of one rule and checkpoint in the order of submission."""
    found = [job for job in cluster.jobs() if job["Comment"] == comment]
    return sorted(found, key=lambda job: int(job["JobId"]))


def test_a_node_that_dies_under_a_job(on_cluster, cluster, finished):
    plant(on_cluster, "spectra", HOLD)
    with started(on_cluster, *WITH_PROFILE) as run:
        wait_until_held(on_cluster, run, N_SHARDS)
        nodes = cluster.queue("running")
        victim = held(on_cluster)[0]
        lost = [job for job, node in nodes.items() if node == nodes[victim]]
        cluster.kill_node(nodes[victim])
        try:
            let_go(on_cluster)
            out = run.ends_with(0)
        finally:
            cluster.start_node(nodes[victim])
    # SLURM itself ran the lost jobs again, under their numbers, and no attempt was used up.
    restarts = {job["JobId"]: int(job["Restarts"]) for job in cluster.jobs() if job["JobId"] in nodes}
    assert restarts == {job: int(job in lost) for job in nodes}
    assert "Trying to restart job" not in out
    assert on_cluster.tables() == finished.tables()


def test_snakemake_killed_and_resumed_while_its_jobs_still_run(on_cluster, cluster, finished):
    plant(on_cluster, "spectra", HOLD)
    with started(on_cluster, *TO_SPECTRA) as run:
        wait_until_held(on_cluster, run, N_SHARDS)
        run.process.kill()
        run.process.wait()
    orphans = cluster.queue("running")
    assert len(orphans) == N_SHARDS, "jobs of the cluster outlive the Snakemake that submitted them"
    assert "Directory cannot be locked" in on_cluster.run(*TO_SPECTRA, expect=1).stdout
    on_cluster.run("--unlock")
    with started(on_cluster, *TO_SPECTRA) as run:
        # The worst case: the old and the new job of each shard write the same files at the same time.
        wait_until_held(on_cluster, run, 2 * N_SHARDS)
        assert set(orphans) < set(cluster.queue("running"))
        let_go(on_cluster)
        run.ends_with(0)
    assert on_cluster.tables() == finished.tables()
    assert not list((on_cluster.folder / "results").rglob("*.part"))


def test_an_interrupt_leaves_an_empty_queue(on_cluster, cluster, finished):
    plant(on_cluster, "spectra", HOLD)
    with started(on_cluster, *TO_SPECTRA) as run:
        wait_until_held(on_cluster, run, N_SHARDS)
        submitted = cluster.queue("running")
        assert len(submitted) == N_SHARDS
        run.process.send_signal(signal.SIGINT)
        run.ends_with(1, 60)
        wait_for(lambda: not cluster.queue(), "empty queue")
    assert {job["JobState"] for job in cluster.jobs() if job["JobId"] in submitted} == {"CANCELLED"}
    let_go(on_cluster)
    on_cluster.run(*TO_SPECTRA)
    assert on_cluster.tables() == finished.tables()


# 1,600 MB where the first attempt may use 1,500 and the second 3,000.
GREEDY = """
import time
from pathlib import Path
if snakemake.wildcards.step == "2":
    tried = Path("tried.txt").exists()
    Path("tried.txt").touch()
    ballast = b"x" * (1600 * 2**20)
    deadline = time.monotonic() + 60
    while not tried:
        if time.monotonic() > deadline:
            raise SystemExit("nobody looked at this job's memory")
        time.sleep(0.1)
"""


def test_a_job_over_its_memory_limit_succeeds_at_the_second_attempt(on_cluster, cluster, finished):
    plant(on_cluster, "spectra", GREEDY)
    out = on_cluster.run(*TO_SPECTRA).stdout
    first, second = jobs_of(cluster, "rule_spectra_wildcards_tiny-seed0_2")[-2:]
    assert first["JobState"] in ("OUT_OF_MEMORY", "FAILED")
    assert second["JobState"] == "COMPLETED"
    assert (first["MinMemoryNode"], second["MinMemoryNode"]) == ("1500M", "3000M")
    assert "Trying to restart job" in out
    (log,) = (on_cluster.folder / "results/logs/slurm").rglob(f"{first['JobId']}.log")
    assert "exceeded memory limit" in log.read_text()
    assert on_cluster.tables() == finished.tables()


BROKEN = """
from pathlib import Path
with open("tries.txt", "a") as file:
    file.write(snakemake.wildcards.step + "\\n")
if snakemake.wildcards.step == "2" and not Path("repaired").exists():
    raise SystemExit("a planted fault")
"""


def test_a_job_that_always_fails_runs_once_and_its_retries_and_the_rest_completes(on_cluster, cluster, finished):
    retries = yaml.safe_load((on_cluster.folder / PROFILE).read_text())["retries"]
    plant(on_cluster, "spectra", BROKEN)
    unharmed = on_cluster.folder / "results/inequality"
    shutil.rmtree(unharmed)
    shutil.rmtree(on_cluster.folder / "results/timelines")
    out = on_cluster.run(*WITH_PROFILE, expect=1).stdout
    tries = (on_cluster.folder / "tries.txt").read_text().split()
    assert {step: tries.count(step) for step in tries} == {"0": 1, "2": 1 + retries, "4": 1}
    last = jobs_of(cluster, "rule_spectra_wildcards_tiny-seed0_2")[-1]["JobId"]
    (log,) = (on_cluster.folder / "results/logs/slurm").rglob(f"{last}.log")
    assert str(log) in out
    assert "a planted fault" in log.read_text()
    # What does not need the failed shard is made.
    assert on_cluster.tables().items() <= finished.tables().items()
    shards = {name for name in finished.tables().keys() - on_cluster.tables().keys() if "/step" in name}
    assert shards == {f"{table}/tiny-seed0/step2.parquet" for table in ("spectra", "eigenvalues", "fingerprint")}
    assert len(list(unharmed.rglob("*.parquet"))) == N_SHARDS
    (on_cluster.folder / "repaired").touch()
    on_cluster.run(*WITH_PROFILE)
    assert on_cluster.tables() == finished.tables()
