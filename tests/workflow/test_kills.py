"""A run that is killed, with everything it started, and goes on."""

import os
import signal
import subprocess
import time

import pytest

from tests.workflow.project import NO_FIGURES, make_project

pytestmark = pytest.mark.faults


def _kill_all_when(project, happened, timeout=200):
    """Start a run and kill its whole process group as soon as something has happened that had not before."""
    assert not happened(), "this moment has already passed"
    run = subprocess.Popen(
        project.command(),
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + timeout
    while not happened() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert run.poll() is None, "the run ended before it could be killed"
    assert happened()
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def test_killed_at_three_moments_then_complete_and_identical(finished, tmp_path):
    project = make_project(tmp_path / "project")
    results = project.folder / "results"
    moments = [
        # While it is trained, or as soon as it is: so few steps can be over between two looks.
        lambda: any((results / "pretrain/tiny-seed0").rglob("step2")),
        lambda: any((results / "influence").rglob("step*.parquet")),
        lambda: any((results / "timelines").rglob("*.parquet")),
    ]
    for moment in moments:
        _kill_all_when(project, moment)
        project.run("--unlock")
    project.run(*NO_FIGURES)
    assert project.tables() == finished.tables()
    assert not list(results.rglob("*.part")), "half-written files are left"
