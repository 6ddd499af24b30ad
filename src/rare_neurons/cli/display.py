"""What a person sees of a run: a line for each model and stage, warnings once, failures with their log."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from rare_neurons.cli.progress import Line, Progress, duration

_WARNING = re.compile(r"^\s*(?:warning: |.*Warning: )(.*)", re.IGNORECASE)
_EVERY_S = 30.0
_LOOK_S = 2.0
_TAIL = 3


class Display:
    """Shows events as they come: redrawn on a terminal; elsewhere finished lines, and the running ones now and then."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._progress = Progress()
        self._seen: set[str] = set()
        self._lock = threading.RLock()
        self._live = Live(console=console, refresh_per_second=2, transient=True, get_renderable=self._running)
        self._begun = self._shown = clock()
        self._ended = threading.Event()
        self.said_why = False
        """Whether an error was shown."""

    def __enter__(self) -> "Display":
        """Begin to draw."""
        if self._console.is_terminal:
            self._live.start()
        else:
            threading.Thread(target=self._tell, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Draw no more."""
        self._ended.set()
        if self._console.is_terminal:
            self._live.stop()

    @property
    def results(self) -> str | None:
        """The results folder, once the run has told it."""
        return self._progress.results

    def event(self, event: Mapping[str, object]) -> None:
        """Take one event of the run."""
        with self._lock:
            getattr(self, f"_{event['event']}")(event)
            self._tell_now_and_then()

    def output(self, line: str) -> None:
        """Take one line of what the jobs print: a warning is shown once, the rest is for the log alone."""
        found = _WARNING.match(line)
        if found:
            self.warn(found[1].strip())

    def warn(self, text: str) -> None:
        """Show a warning that was not shown before."""
        with self._lock:
            if text not in self._seen:
                self._seen.add(text)
                self._print(Text(f"warning: {text}", style="yellow"))

    def _tell(self) -> None:
        """Off a terminal: jobs may take long without an event."""
        while not self._ended.wait(_LOOK_S):
            with self._lock:
                self._tell_now_and_then()

    def _tell_now_and_then(self) -> None:
        if not self._console.is_terminal and self._clock() - self._shown > _EVERY_S:
            self._shown = self._clock()
            self._print(*self._running().renderables)

    def _planned(self, event: Mapping) -> None:
        self._progress.plan(event["jobs"], event["results"])
        counts = Counter()
        for line in self._progress.lines.values():
            counts[line.stage] += line.total
        stages = ", ".join(f"{stage} {n}" for stage, n in counts.items())
        n = self._progress.n_jobs
        self._print(Text(f"{n} job{'' if n == 1 else 's'}: {stages}"))

    def _started(self, event: Mapping) -> None:
        self._progress.start(event["jobs"], self._clock())

    def _finished(self, event: Mapping) -> None:
        line = self._progress.finish(event["job"], self._clock())
        if line is not None:
            took = duration(line.ended - line.started)
            self._print(Text(f"{_name(line)} {_count(line)}  {took}", style="green"))

    def _failed(self, event: Mapping) -> None:
        line = self._progress.fail(event["job"])
        name = _name(line) if line else str(event["rule"])
        self._print(Text(f"{name} failed{_why(event['logs'])}", style="red"))
        self.said_why = True

    def _warning(self, event: Mapping) -> None:
        self.warn(str(event["text"]))

    def _error(self, event: Mapping) -> None:
        self._print(Text(f"error: {event['text']}", style="red"))
        self.said_why = True

    def _nothing(self, _: Mapping) -> None:
        self._print(Text("Nothing to be done: all results are there."))

    def _print(self, *items: Text) -> None:
        for item in items:
            self._console.print(item, soft_wrap=True)

    def _running(self) -> Group:
        """Lines at work, each with its count and time left, and the whole."""
        with self._lock:
            self._progress.look(self._clock())
            items = [_at_work(line, self._progress.seconds_left(line)) for line in self._progress.running]
            n, total = self._progress.n_done, self._progress.n_jobs
            if total:
                left, known = self._progress.all_left()
                more = f", {'' if known else 'at least '}{duration(left)} left" if left >= 1 else ""
                items.append(Text(f"{n} of {total} jobs after {duration(self._clock() - self._begun)}{more}"))
            return Group(*items)


def _name(line: Line) -> str:
    return f"{line.model:<24} {line.stage:<14}"


def _count(line: Line) -> str:
    return f"{line.done:>4} of {line.total:<4}"


def _at_work(line: Line, left: float | None) -> Text:
    return Text(f"{_name(line)} {_count(line)}  {'' if left is None else duration(left) + ' left'}", style="cyan")


def _why(logs: Sequence[str]) -> str:
    """Return the last lines of a job's log, with its place."""
    for log in map(Path, logs):
        if log.is_file():
            tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_TAIL:]
            return f" (log: {log})" + "".join(f"\n    {line}" for line in tail)
    return ""
