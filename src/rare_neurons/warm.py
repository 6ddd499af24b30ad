"""Scripts that start warm: forked from a process that has imported what they import.

Most of what a short job costs are an interpreter and its imports. `Warm` starts one process beside a run, this file as
a program, which imports the modules that a script names at its top before it forks the script's own process. It starts
no thread and runs nothing of what it imports; where either cannot be had, it says so and the script starts cold.

The process has the variables, the standard streams and the process group of whoever starts it, so that whatever ends
the run's group ends all of it. It goes when the run goes; scripts that run then run on, as they do when started cold.
"""

import ast
import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path

_LARGEST = 65_536  # bytes of a request: two paths
_OF_JEMALLOC = "jemalloc_bg_thd"
"""A thread that comes with Arrow; its allocator knows of forks, and holds nothing in them."""
_STARTED, _COLD = "started", "cold"


class Warm:
    """A process that forks scripts, started when the first one is to run.

    Its variables are those of the first script. One with other variables starts cold: libraries read many of them
    (numbers of threads, where a cache is) when they are imported.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._variables: dict[str, str] | None = None
        self._requests: socket.socket | None = None
        self._process: subprocess.Popen | None = None

    def run(self, script: str | Path, variables: Mapping[str, str]) -> int | None:
        """Run a script to its end, as ``python SCRIPT`` does in the working directory.

        Parameters
        ----------
        script : path
        variables : mapping of str to str
            Its whole environment.

        Returns
        -------
        int or None
            Its exit status, negative for a signal, and `signal.SIGKILL` where the process that waits for it was
            killed; None if it was not started.
        """
        request = json.dumps({"script": str(Path(script).absolute()), "folder": str(Path.cwd())}).encode()
        if not sys.platform.startswith("linux") or len(request) > _LARGEST:
            return None
        reading, writing = os.pipe()
        with os.fdopen(reading) as answers:
            try:
                with self._lock:
                    self._start(dict(variables))
                    if self._variables != dict(variables):
                        return None
                    socket.send_fds(self._requests, [request], [writing])
            except OSError:  # it has gone
                return None
            finally:
                os.close(writing)
            if answers.readline().strip() != _STARTED:
                return None
            ended = answers.readline()
            return int(ended) if ended else -signal.SIGKILL

    def _start(self, variables: dict[str, str]) -> None:
        if self._process is not None:
            return
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            # Without -P the package's own folder would come first in what it imports from.
            words = [sys.executable, "-P", __file__, str(its.fileno())]
            self._process = subprocess.Popen(words, env=variables, pass_fds=(its.fileno(),))
        self._requests, self._variables = ours, variables
        atexit.register(self.close)

    def close(self) -> None:
        """End the process; scripts that still run, run on."""
        if self._requests is not None:
            self._requests.close()
            self._process.wait()


def modules_of(script: str) -> list[str]:
    """Modules that the text of a script imports at its top."""
    named = []
    for node in ast.parse(script).body:
        if isinstance(node, ast.Import):
            named += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            named.append(node.module)
    return named


def _import(script: Path) -> bool:
    """Import what a script names; whether it can be forked now."""
    try:
        for name in modules_of(script.read_text(encoding="utf-8")):
            importlib.import_module(name)
    except Exception:
        # Whatever it is, the script meets it too, and is there to say so.
        return False
    return _threads() <= {_OF_JEMALLOC}


def _threads() -> set[str]:
    """Names of threads beside the main one: none would be in a fork, where what it holds would be held for ever."""
    names = [
        path.read_text().strip()
        for path in Path("/proc/self/task").glob("*/comm")
        if path.parent.name != str(os.getpid())
    ]
    return set(names)


def _answer(pipe: int, word: object) -> None:
    try:
        os.write(pipe, f"{word}\n".encode())
    except BrokenPipeError:  # whoever asked has gone
        pass


def _reap(running: dict[int, int]) -> None:
    """Say of each script that has ended how it did."""
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        pipe = running.pop(pid)
        _answer(pipe, os.waitstatus_to_exitcode(status))
        os.close(pipe)


def serve(requests: socket.socket) -> str | None:
    """Fork a process for each request, until there is nobody who could make one.

    Returns
    -------
    str or None
        In each of those processes: its script. None at the end.
    """
    woken, wakes = os.pipe()
    for end in (woken, wakes):
        os.set_blocking(end, False)
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    # With a handler of its own a signal writes to the pipe; ignored, it would not.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes)
    running: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([requests, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _reap(running)
        if requests not in ready:
            continue
        text, pipes, _, _ = socket.recv_fds(requests, _LARGEST, 1)
        if not text:
            return None
        request, (pipe,) = json.loads(text), pipes
        if not _import(Path(request["script"])):
            _answer(pipe, _COLD)
            os.close(pipe)
            continue
        # Whoever is forked neither goes through a million objects that stay, nor copies their pages for it.
        gc.freeze()
        pid = os.fork()
        if pid:
            running[pid] = pipe
            _answer(pipe, _STARTED)
            continue
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, interrupted)
        for number in (woken, wakes, pipe, *running.values()):
            os.close(number)
        requests.close()
        os.chdir(request["folder"])
        gc.enable()
        return request["script"]


def run_and_exit(script: str) -> None:
    """Be the process of a script; never returns.

    What an interpreter does at its end is done, but for taking apart all that has been imported.
    """
    sys.argv = [script]
    sys.path.insert(0, str(Path(script).parent))
    status = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if stop.code is not None and not isinstance(stop.code, int):
            print(stop.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the run that read it has gone
        status = status or 120
    os._exit(status & 0xFF)


if __name__ == "__main__":
    gc.disable()
    with socket.socket(fileno=int(sys.argv[1])) as socket_of_run:
        found = serve(socket_of_run)
    if found is None:
        os._exit(0)
    run_and_exit(found)
