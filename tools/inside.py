"""Snakemake's command line whose jobs run in its own process, one after another (``--cores 1``).

The workflow and its scripts are the real ones; what is left out is an interpreter with its imports for every job, most
of what a job on a tiny checkpoint costs.
"""

import runpy
import sys

from snakemake.cli import main
from snakemake.script import PythonScript


def run_here(script: PythonScript, name: str, edit: bool = False) -> None:
    """Run a job's script, preamble included; an exit is a job that fails, not the end of Snakemake."""
    known = sys.path.copy()  # every preamble adds all of them once more
    try:
        runpy.run_path(name, run_name="__main__")
    except SystemExit as stop:
        if stop.code:
            raise RuntimeError(f"{script.path.get_filename()} ended with {stop.code}") from stop
    finally:
        sys.path[:] = known


if __name__ == "__main__":
    PythonScript.execute_script = run_here
    main()
