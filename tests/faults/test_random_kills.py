"""Kills at random moments of a local run, from a seed."""

import os
import shutil
import signal
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import pytest

from tests.faults.runs import Run, started
from tests.slurm.processes import wait_for
from tests.workflow.project import Project, make_project

EVERYTHING, SNAKEMAKE, WORKER = "Snakemake and its workers", "Snakemake alone", "one worker"


def workers(run: Run) -> list[int]:
    """Processes of a run other than Snakemake itself."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may have ended
            group = (folder / "stat").read_text().rpartition(")")[2].split()[2]
            found += [int(folder.name)] if int(group) == run.process.pid != int(folder.name) else []
    return found


def strike(run: Run, rng: np.random.Generator) -> str:
    """Kill a random part of a live run, and say which."""
    victim = rng.choice([EVERYTHING, SNAKEMAKE, WORKER])
    if victim == WORKER and (alive := workers(run)):
        with suppress(ProcessLookupError):
            os.kill(int(rng.choice(alive)), signal.SIGKILL)
            run.process.wait(300)  # Snakemake goes on with what does not need that job
            return WORKER
    if victim == SNAKEMAKE:
        run.process.kill()  # its workers go on, and the next run may start the same jobs beside them
        assert run.process.wait() == -signal.SIGKILL, "the run had ended before it was killed"
        return SNAKEMAKE
    run.kill_group()
    assert run.process.returncode == -signal.SIGKILL, "the run had ended before it was killed"
    return EVERYTHING


def kill_many_times(project: Project, finished: Project, n_kills: int, seed: int) -> Counter:
    """Start a project's run and kill it, again and again; where it ends before, compare and start from nothing."""
    rng = np.random.default_rng(seed)
    kills = Counter()
    with ExitStack() as stack:
        while kills.total() < n_kills:
            run = stack.enter_context(started(project))
            moment = time.monotonic() + rng.uniform(1, 8)
            wait_for(lambda run=run, moment=moment: not run.is_alive() or time.monotonic() > moment, "moment", 60)
            if run.is_alive():
                kills[strike(run, rng)] += 1
            else:
                run.ends_with(0)
                assert project.tables() == finished.tables()
                stack.close()  # no worker of an earlier run goes on
                shutil.rmtree(project.folder / "results")
            project.run("--unlock")
    return kills


@pytest.mark.parametrize(
    "n_kills", [pytest.param(20, marks=pytest.mark.faults), pytest.param(100, marks=pytest.mark.soak)]
)
def test_kills_at_random_moments(finished, tmp_path, n_kills):
    project = make_project(tmp_path / "project")
    kills = kill_many_times(project, finished, n_kills, seed=0)
    print(dict(kills))
    assert len(kills) == 3, f"a part was never killed: {kills}"
    project.run()
    assert project.tables() == finished.tables()
    assert not list((project.folder / "results").rglob("*.part"))
