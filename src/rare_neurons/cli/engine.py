"""Snakemake as a command: with the house's workflow and profile, whatever the folder."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import TextIO

from rich.console import Console

from rare_neurons.cli.display import Display
from rare_neurons.errors import RequestError
from rare_neurons.house import SNAKEFILE, house

CONFIG = "rare-neurons.yaml"
"""Configuration that a command reads where none is named."""
_NEEDED = ("snakemake", "torch")
_TAIL = 2000  # characters
_PROFILES = ("--workflow-profile", "--profile")
_DRY = ("-n", "--dry-run", "--dryrun")
# One BLAS thread per parallel job.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def command(configs: Sequence[Path], more: Sequence[str], folder: Path) -> list[str]:
    """Return Snakemake's command line.

    Parameters
    ----------
    configs : sequence of Path
        Configuration files, the lowest first; where there is none, `CONFIG` of the folder.
    more : sequence of str
        Arguments for Snakemake, as they are; a profile that is not in the folder is one of the house's.
    folder : Path
        Where the command is run.

    Raises
    ------
    RequestError
        If what measures is not installed, or a configuration is not there.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise RequestError(
            f"{' and '.join(missing)} not installed, which a run needs: install this package with its extra `run`, "
            "such as pip install '.[run]' in a checkout (reading results needs neither)"
        )
    root = house()
    files = list(configs) or [Path(CONFIG)]
    for file in files:
        if not (folder / file).is_file():
            raise RequestError(f"no {file} in {folder.name}/; write one with `rare-neurons init`, or name --configfile")
    start = [sys.executable, "-m", "snakemake", "--snakefile", str(root / SNAKEFILE)]
    start += ["--configfile", *map(str, files)]
    if not any(word.split("=")[0] in _PROFILES for word in more):
        start += ["--workflow-profile", str(root / "profiles/default")]
    return start + _of_house(more, root, folder)


def _of_house(more: Sequence[str], root: Path, folder: Path) -> list[str]:
    """Arguments with a profile's path completed, where it is one of the house's."""
    found, value = [], False
    for word in more:
        name, _, given = word.partition("=")
        path = given if name in _PROFILES and given else word if value else ""
        if path and not (folder / path).is_dir() and (root / path).is_dir():
            word = f"{name}={root / path}" if given else str(root / path)
        found.append(word)
        value = name in _PROFILES and not given
    return found


def environment() -> dict[str, str]:
    """Return the environment of a run: one BLAS thread for each job unless it says otherwise, bytecode cached."""
    return {**dict.fromkeys(_THREADS, "1"), **os.environ, "PYTHONDONTWRITEBYTECODE": ""}


def run_plainly(words: Sequence[str]) -> int:
    """Run a command with its own output; returns its exit status. An interrupt is the command's to handle."""
    return _wait(subprocess.Popen(words, env=environment()))


def run_shown(words: Sequence[str], console: Console) -> int:
    """Run Snakemake quietly: a display on the console, everything that it and its jobs print in a file.

    Returns
    -------
    int
        Its exit status.
    """
    if any(word in _DRY for word in words):
        at = words.index("--") if "--" in words else len(words)
        return run_plainly([*words[:at], "--quiet", "rules", "host", *words[at:]])
    log, say = _new_log(), partial(console.print, markup=False, highlight=False, soft_wrap=True)
    with log.open("w", encoding="utf-8") as file, Display(console) as display:
        status = _run_beside(words, file, display)
    if status and not display.said_why:
        say(log.read_text(encoding="utf-8").strip()[-_TAIL:])
    summary = Path(display.results or ".") / "summary.txt"
    if status == 0 and display.results and summary.is_file():
        say(summary.read_text(encoding="utf-8"))
    say(f"Full log: {log}")
    return status


def run_asked(words: Sequence[str], console: Console) -> int:
    """Run Snakemake as `run_shown`; what its jobs print to standard output is what was asked for, and follows.

    Returns
    -------
    int
        Its exit status.
    """
    log, answer = _new_log(), StringIO()
    with log.open("w", encoding="utf-8") as file, Display(console) as display:
        status = _run_beside(words, file, display, answer)
    if status and not display.said_why:
        console.print(log.read_text(encoding="utf-8").strip()[-_TAIL:], markup=False, highlight=False, soft_wrap=True)
    sys.stdout.write(answer.getvalue())
    return status


def _new_log() -> Path:
    log = Path(".snakemake/log") / f"{time.strftime('%Y-%m-%dT%H%M%S')}.rare-neurons.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    return log


def _run_beside(words: Sequence[str], log: TextIO, display: Display, answer: TextIO | None = None) -> int:
    """Run Snakemake beside a display of its events; what it prints goes into the log, or standard output elsewhere."""
    reading, writing = os.pipe()
    at = words.index("--") if "--" in words else len(words)
    telling = ["--logger", "rare-neurons", "--logger-rare-neurons-events", f"/dev/fd/{writing}"]
    words = [*words[:at], *telling, *words[at:]]
    with subprocess.Popen(
        words,
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if answer is None else subprocess.PIPE,
        text=True,
        errors="replace",
        pass_fds=(writing,),
    ) as process:
        os.close(writing)
        said = process.stdout if answer is None else process.stderr
        copying = [threading.Thread(target=_copy, args=(said, log, display), daemon=True)]
        if answer is not None:
            copying.append(threading.Thread(target=shutil.copyfileobj, args=(process.stdout, answer), daemon=True))
        for thread in copying:
            thread.start()
        with os.fdopen(reading, encoding="utf-8") as events:
            _show(events, display)
        status = _wait(process)
        for thread in copying:
            thread.join()
    return status


def _copy(stream: TextIO, file: TextIO, display: Display) -> None:
    for line in stream:
        file.write(line)
        file.flush()
        display.output(line)


def _show(events: TextIO, display: Display) -> None:
    while True:
        try:
            line = events.readline()
        except KeyboardInterrupt:  # Snakemake got it too, and ends by itself
            continue
        if not line:
            return
        event: Mapping[str, object] = json.loads(line)
        display.event(event)


def _wait(process: subprocess.Popen) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
