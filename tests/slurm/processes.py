"""Waiting with a deadline, and ending processes that the tests started."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path


def wait_for(happened: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Look every tenth of a second until something has happened; after the deadline, say what did not."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} after {seconds:g} s")
        time.sleep(0.1)


def stop(process: subprocess.Popen) -> None:
    """End a process, at first politely."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def job_processes(jobs: Iterable[str]) -> list[int]:
    """Processes of SLURM jobs: their step daemons, whose title names the job, and what has it in its environment."""
    titles = tuple(f"slurmstepd: [{job}.".encode() for job in jobs)
    variables = {f"SLURM_JOB_ID={job}".encode() for job in jobs}
    return [
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if _read(folder / "cmdline").startswith(titles) or variables & set(_read(folder / "environ").split(b"\0"))
    ]


def kill_all(processes: Callable[[], list[int]]) -> int:
    """Kill until none is left (one may start another meanwhile), and count them."""
    killed: set[int] = set()

    def none_left() -> bool:
        found = processes()
        for pid in found:
            _kill(pid)
        killed.update(found)
        return not found

    wait_for(none_left, "end of killed processes")
    return len(killed)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it may have ended by itself
        os.kill(pid, signal.SIGKILL)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # the process has ended
