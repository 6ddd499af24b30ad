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
from collections.abc import Mapping, Sequence
from contextlib import suppress
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
            Its exit status, negative for a signal, also where that ended the process beside the run; None if it was
            not started.
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
            begun = answers.readline().strip()
            ended = answers.readline() if begun == _STARTED else ""
        if ended:
            return int(ended)
        if begun == _COLD:
            return None
        # A signal that has ended the process beside the run was meant for the script too; later ones start cold.
        status = self._process.wait()
        return status if status < 0 else 1 if begun else None

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
    except (Exception, SystemExit):
        # Whatever it is, the script meets it too, and is there to say so.
        return False
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    return len([name for name in names if name != _OF_JEMALLOC]) == 1


def _answer(pipe: int, word: object) -> None:
    with suppress(BrokenPipeError):  # whoever asked has gone
        os.write(pipe, f"{word}\n".encode())


def _reap(running: dict[int, int]) -> None:
    """Say of each script that has ended how it did."""
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        pipe = running.pop(pid, None)
        if pipe is not None:  # else it is one that an import has started
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
    interrupts: list[int] = []
    # An interrupt is the scripts' to handle; one that comes before a fork ends what was to be forked.
    handlers = {signal.SIGINT: lambda number, _: interrupts.append(number), signal.SIGCHLD: lambda *_: None}
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        del handlers[signal.SIGINT]
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
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
        if not _fork(request, pipe, running, interrupts):
            continue
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        if interrupts:  # between the fork and here
            signal.raise_signal(signal.SIGINT)
        for number in (woken, wakes, pipe, *running.values()):
            os.close(number)
        os.chdir(request["folder"])
        return request["script"]


def _fork(request: Mapping[str, str], pipe: int, running: dict[int, int], interrupts: Sequence[int]) -> bool:
    """Answer a request; true in the process that is its script's."""
    words: tuple[object, ...] = (_COLD,)
    if _import(Path(request["script"])):
        # Whoever is forked neither goes through a million objects that stay, nor copies their pages for it.
        gc.freeze()
        words = (_STARTED, *(-number for number in interrupts[:1]))
        if not interrupts:
            # What imports have printed is said once, not again by every script.
            with suppress(OSError):  # whoever reads it has gone
                sys.stdout.flush()
            pid = os.fork()
            if not pid:
                return True
            running[pid] = pipe
    for word in words:
        _answer(pipe, word)
    if pipe not in running.values():
        os.close(pipe)
    return False


def run_and_exit(script: str) -> None:
    """Be the process of a script; never returns.

    What an interpreter does at its end is done, but for taking apart all that has been imported.
    """
    sys.argv = [script]
    sys.path.insert(0, str(Path(script).parent))
    status, interrupted = 0, False
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if stop.code is not None and not isinstance(stop.code, int):
            print(stop.code, file=sys.stderr)
    except BaseException as error:
        traceback.print_exc()
        status, interrupted = 1, isinstance(error, KeyboardInterrupt)
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the run that read it has gone
        status = status or 120
    if interrupted:  # as an interpreter ends, so that who waits sees an interrupt
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status & 0xFF)


if __name__ == "__main__":
    gc.disable()
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        found = serve(asked)
    if found is None:
        os._exit(0)
    gc.enable()
    run_and_exit(found)
