"""The command `rare-neurons` in a warm process: the Snakemake that it starts is forked, and jobs run inside that.

Of what a user has, only the interpreters are left out, which import for seconds what a tiny job needs for moments:
command lines, pipes, events, exit statuses and the display are the real ones.
As a program: ``python -m tests.workflow.commanded WORDS``, started by `tests.workflow.warm`.
"""

import atexit
import logging
import os
import runpy
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from functools import partial
from types import SimpleNamespace

from rare_neurons.cli import engine, main

SNAKEMAKE = [sys.executable, "-m", "snakemake"]
ERRORS = "TEST_ERRORS"
"""Variable with the file that takes standard error; without it, it is shown with standard output."""


def be_snakemake(words: list[str], environment: Mapping[str, str], kept: Sequence[int]) -> None:
    """Be what would have been executed, in a process that was forked for it; never returns."""
    for number in map(int, os.listdir("/proc/self/fd")):
        if number > 2 and number not in kept:
            try:
                os.close(number)
            except OSError:  # that of the listing itself
                continue
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["snakemake", *words]
    status = 1
    try:
        runpy.run_module("tools.inside", run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
    logging.shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class Forked(subprocess.Popen):
    """A process that goes on as Snakemake after its fork, where it would begin with an interpreter."""

    def __init__(self, words: Sequence[str], *, env: Mapping[str, str], pass_fds: Sequence[int] = (), **more: object):
        assert list(words[:3]) == SNAKEMAKE, words
        sys.stdout.flush()
        sys.stderr.flush()
        be = partial(be_snakemake, list(words[3:]), env, pass_fds)
        super().__init__(words, env=env, pass_fds=pass_fds, preexec_fn=be, **more)


if __name__ == "__main__":
    if ERRORS in os.environ:
        os.dup2(os.open(os.environ[ERRORS], os.O_WRONLY | os.O_CREAT), 2)
    engine.subprocess = SimpleNamespace(Popen=Forked, PIPE=subprocess.PIPE, STDOUT=subprocess.STDOUT)
    main()
