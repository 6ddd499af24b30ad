"""Snakemake's command line with a clock inside, or with a stand-in for its scheduler that only writes records.

``python -m benchmarks.snakemake_inside times.json …`` is ``snakemake …`` that also writes the CPU seconds until it has
been imported and those of parsing and of building the DAG. ``python -m benchmarks.snakemake_inside --record …``, with
Snakemake's own ``--touch``, makes every output (its own name as content) and has Snakemake's own code write its
provenance record: what a finished run leaves behind, without its jobs.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from snakemake.cli import main
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.workflow import Workflow

SPENT = {"imports": time.process_time()}


def clocked(method: Callable, name: str) -> Callable:
    """Add the CPU seconds of the outermost call to `SPENT`."""

    def call(*args: object, **kwargs: object) -> object:
        start = time.process_time()
        try:
            return method(*args, **kwargs)
        finally:
            SPENT[name] = time.process_time() - start

    return call


def record(scheduler: JobScheduler) -> bool:
    """Write all outputs and their records, in the order in which jobs could have run."""
    workflow = scheduler.workflow

    async def finish() -> None:
        for level in workflow.dag.toposorted():
            for job in level:
                for output in job.output:
                    path = Path(output, ".snakemake_timestamp") if output.is_directory else Path(output)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    if not path.exists():
                        path.write_text(str(path))
                    path.touch()
                await workflow.persistence.finished(job)

    workflow.async_run(finish())
    return True


if __name__ == "__main__":
    how = sys.argv.pop(1)
    if how == "--record":
        JobScheduler.schedule = record
        main()
    Workflow.include = clocked(Workflow.include, "parse")
    Workflow._build_dag = clocked(Workflow._build_dag, "dag")
    try:
        main()
    finally:
        Path(how).write_text(json.dumps(SPENT))
