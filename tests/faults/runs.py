"""Runs in the background, and faults planted in the scripts of a project's jobs."""

import os
import shutil
import signal
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.slurm.processes import wait_for
from tests.workflow.project import Project

# All tables that `forget_spectra` removes are made again for this one.
SPECTRA = "results/timelines/spectra/tiny-seed0.parquet"

# A job says that it runs, with its number, and waits until the test lets it go on.
HOLD = """
import os, time
from pathlib import Path
with open("held.txt", "a") as file:
    file.write(os.environ.get("SLURM_JOB_ID", "local") + "\\n")
deadline = time.monotonic() + 300
while not Path("go").exists():
    if time.monotonic() > deadline:
        raise SystemExit("nobody let this job go on")
    time.sleep(0.1)
"""


@dataclass
class Run:
    """A run of Snakemake in the background."""

    process: subprocess.Popen
    log: Path

    def output(self) -> str:
        return self.log.read_text()

    def ends_with(self, status: int, seconds: float = 300) -> str:
        """Wait for the end, check the exit status and return the output."""
        assert self.process.wait(seconds) == status, self.output()[-6000:]
        return self.output()

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def kill_group(self) -> None:
        """Kill Snakemake and every process that it started here."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def started(project: Project, *arguments: str) -> Iterator[Run]:
    """A run in the background; what is left of it is killed when the block ends."""
    log = project.folder / f"run{len(list(project.folder.glob('run*.log')))}.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            project.command(*arguments),
            cwd=project.folder,
            env=project.environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A shell starts what runs in its background deaf to interrupts, and its children inherit that.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
    run = Run(process, log)
    try:
        yield run
    finally:
        run.kill_group()


def plant(project: Project, script: str, code: str) -> None:
    """Put code in front of a script of the project's workflow; the rules' triggers do not look at scripts."""
    path = project.folder / "workflow/scripts" / f"{script}.py"
    path.write_text(textwrap.dedent(code) + path.read_text())


def held(project: Project) -> list[str]:
    """Numbers of the jobs that `HOLD` has stopped so far."""
    file = project.folder / "held.txt"
    return file.read_text().split() if file.exists() else []


def wait_until_held(project: Project, run: Run, n: int) -> None:
    """Wait until `HOLD` has stopped `n` jobs of a run that is still alive."""
    wait_for(lambda: len(held(project)) >= n or not run.is_alive(), f"{n} held jobs", 150)
    assert run.is_alive(), run.output()[-6000:]


def let_go(project: Project) -> None:
    (project.folder / "go").touch()


def forget_spectra(project: Project) -> None:
    """Remove the shards of one rule and what follows from them up to `SPECTRA`: some short jobs are left to do."""
    shutil.rmtree(project.folder / "results/.kept")
    for name in ("spectra", "eigenvalues", "fingerprint", "integrity", "timelines/spectra"):
        shutil.rmtree(project.folder / "results" / name)
