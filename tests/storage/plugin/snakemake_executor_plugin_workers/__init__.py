"""An executor that shares nothing with its jobs: each runs in the folder of a worker, from the command line alone.

It asks of Snakemake what the one for Kubernetes asks: sources go through the storage, and so do inputs and outputs.
"""

import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.settings import CommonSettings

WORKERS = "TEST_WORKERS"
"""Environment variable with the workers' folders, separated as a path is."""

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=True,
    job_deploy_sources=True,
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
)


class Executor(RemoteExecutor):
    """Starts a process for every job, one at a time in each worker's folder."""

    def __post_init__(self) -> None:
        """Take the workers from the environment."""
        self.workers = [Path(folder) for folder in os.environ[WORKERS].split(os.pathsep)]
        self.running: dict[Path, subprocess.Popen] = {}

    def run_job(self, job: JobExecutorInterface) -> None:
        """Start a job at a worker that has none; ``--jobs`` is not more than there are workers."""
        worker = next(folder for folder in self.workers if folder not in self.running)
        command = self.format_job_exec(job)
        with (worker / "commands.txt").open("a") as told:
            told.write(f"{command}\n")
        # Only what a container would have: programs, and packages under PYTHONPATH that are no part of the project.
        known = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PWD", WORKERS)}
        known["PYTHONPATH"] = os.environ.get("TEST_PACKAGES", "")
        with (worker / "log.txt").open("a") as log:
            self.running[worker] = subprocess.Popen(
                ["/bin/bash", "-c", command], cwd=worker, env=known, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.report_job_submission(SubmittedJobInfo(job, aux={"worker": worker}))

    async def check_active_jobs(self, active_jobs: list[SubmittedJobInfo]) -> AsyncIterator[SubmittedJobInfo]:
        """Report jobs that have ended."""
        for info in active_jobs:
            worker = info.aux["worker"]
            status = self.running[worker].poll()
            if status is None:
                yield info
                continue
            del self.running[worker]
            if status == 0:
                self.report_job_success(info)
            else:
                self.report_job_error(info, msg=(worker / "log.txt").read_text()[-5000:])

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """End them."""
        for info in active_jobs:
            self.running[info.aux["worker"]].kill()
