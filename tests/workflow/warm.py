"""Programs that start warm: forked from a process that has imported what jobs import, the house's own package apart.

An interpreter with Snakemake, torch and transformers costs more than what a run computes on a tiny model. Each program
has its own process, folder, variables, `sys.path` and output all the same; the package is imported from its own folder.

As a program it reads requests, one a line, from its standard input, and answers each with an exit status.
"""

import atexit
import gc
import importlib
import json
import logging
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MODULES = (
    *("snakemake.cli", "snakemake.script", "snakemake.scheduling.job_scheduler", "snakemake.executors.local"),
    *("jsonschema", "matplotlib.pyplot", "matplotlib.backends.backend_svg", "networkx", "pandas", "psutil"),
    *("pyarrow.parquet", "pyarrow.compute", "scipy.linalg", "scipy.optimize", "scipy.special", "scipy.stats"),
    *("safetensors.torch", "tenacity", "tokenizers", "torch", "xxhash", "yaml"),
    *("transformers.modeling_utils", "transformers.models.gpt_neox.modeling_gpt_neox"),
)
CLIENT = "huggingface_hub"
"""Reads the variables of the Hub when it is imported: a program that has other ones imports it anew."""
LIMIT_S = 1200


@dataclass(frozen=True)
class Done:
    """How a program ended, and what it said."""

    returncode: int
    stdout: str


class Warm:
    """A process that forks one program after another."""

    def __init__(self) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen([sys.executable, __file__], text=True, cwd="/", **pipes)
        atexit.register(self.close)

    def close(self) -> None:
        """End the process, which has no more requests to read."""
        self.process.stdin.close()
        self.process.wait()

    def run(self, arguments: list[str], folder: Path, variables: dict[str, str]) -> Done:
        """Run a module, as ``python -m`` does, to its end."""
        with tempfile.NamedTemporaryFile() as output:
            request = {"argv": arguments, "folder": str(folder), "variables": variables, "output": output.name}
            print(json.dumps(request), file=self.process.stdin, flush=True)
            status = json.loads(self.process.stdout.readline())
            return Done(status, Path(output.name).read_text())


@cache
def warm() -> Warm:
    """The process of this worker, started when it is first needed."""
    return Warm()


def of_hub(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables that the client of the Hub reads."""
    return {name: value for name, value in variables.items() if name.startswith("HF_")}


def serve() -> None:
    """Fork a process for each request."""
    known = [path for path in sys.path[1:] if path not in os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    requests, answers = os.dup(0), os.dup(1)
    for line in os.fdopen(requests):
        child = os.fork()
        if not child:
            become(json.loads(line), known)
        _, status = os.waitpid(child, 0)
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become(request: dict, known: list[str]) -> None:
    """Be the program; never returns."""
    signal.alarm(LIMIT_S)
    os.chdir(request["folder"])
    if of_hub(request["variables"]) != of_hub(os.environ):
        for name in [name for name in sys.modules if name.split(".")[0] == CLIENT]:
            del sys.modules[name]
    os.environ.clear()
    os.environ.update(request["variables"])
    for number, path, mode in ((0, os.devnull, os.O_RDONLY), (1, request["output"], os.O_WRONLY | os.O_APPEND)):
        os.dup2(os.open(path, mode), number)
    os.dup2(1, 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1) for number in (1, 2))
    own = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:] = [request["folder"], *own, *known]
    sys.argv = list(request["argv"])
    status = 0
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    logging.shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    gc.disable()
    for one in MODULES:
        importlib.import_module(one)
    # Whoever is forked neither goes through a million objects that stay, nor copies their pages for it.
    gc.freeze()
    gc.enable()
    serve()
