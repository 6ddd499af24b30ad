"""How far a run is: lines by model and stage, from events and the files that jobs have written; no terminal."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Stamp = tuple[int, int]


@dataclass
class Line:
    """One stage of one model.

    Attributes
    ----------
    model, stage : str
    total, done : int
        Checkpoints, or jobs where a stage has none.
    started, ended : float or None
        When its first job began and its last one ended (s).
    """

    model: str
    stage: str
    total: int = 0
    done: int = 0
    started: float | None = None
    ended: float | None = None

    @property
    def complete(self) -> bool:
        """Whether all is done."""
        return self.done >= self.total


def stamp_of(path: str) -> Stamp | None:
    """Return what tells a file from an earlier one of its name; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_ctime_ns


@dataclass
class _Job:
    """A job, and one file for each of its checkpoints where it measures several."""

    line: Line
    size: int
    files: Sequence[str] = ()
    started: float = 0.0
    before: Mapping[str, Stamp | None] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    seen_at: float = 0.0


@dataclass
class Progress:
    """What has been planned, begun and done; times are those that the caller gives (s).

    Parameters
    ----------
    stamp : callable
        As `stamp_of`.

    Attributes
    ----------
    lines : dict
        By model and stage, in the order of the plan.
    results : str or None
        The results folder, once a run is planned.
    n_done : int
        Jobs that have ended well.
    """

    lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    results: str | None = None
    n_done: int = 0
    stamp: Callable[[str], Stamp | None] = stamp_of
    _jobs: dict[str, _Job] = field(default_factory=dict)
    _running: set[str] = field(default_factory=set)
    _spent: dict[str, list[float]] = field(default_factory=dict)

    def plan(self, jobs: Mapping[str, Sequence], results: str) -> None:
        """Take the jobs of a run: model, stage, number of checkpoints and, of several, a file for each, by job."""
        self.results = results
        for job, (model, stage, size, *files) in jobs.items():
            line = self.lines.setdefault((model, stage), Line(model, stage))
            line.total += size
            self._jobs[str(job)] = _Job(line, size, *files)

    def start(self, jobs: Sequence[object], now: float) -> None:
        """Note that jobs have begun."""
        for name in map(str, jobs):
            job = self._jobs.get(name)
            if job is None:
                continue
            job.line.done -= len(job.seen)
            job.started, job.seen = now, set()
            job.before = {path: self.stamp(path) for path in job.files}
            job.line.started = now if job.line.started is None else job.line.started
            self._running.add(name)

    def finish(self, job: object, now: float) -> Line | None:
        """Note that a job has ended; returns its line where that is complete now."""
        found = self._jobs.get(str(job))
        if found is None or str(job) not in self._running:
            return None
        self._running.discard(str(job))
        seconds, n = self._spent.setdefault(found.line.stage, [0.0, 0])
        self._spent[found.line.stage] = [seconds + now - found.started, n + found.size]
        self.n_done += 1
        found.line.done += found.size - len(found.seen)
        found.line.ended = now
        return found.line if found.line.complete else None

    def fail(self, job: object) -> Line | None:
        """Note that a job has failed; returns its line. Its files are gone: what it had finished is kept aside."""
        self._running.discard(str(job))
        found = self._jobs.get(str(job))
        if found is None:
            return None
        found.line.done -= len(found.seen)
        found.seen = set()
        return found.line

    def look(self, now: float) -> None:
        """Count the checkpoints that jobs at work have finished: files that were not there, or not so, before."""
        for job in (self._jobs[name] for name in self._running):
            for path in job.files:
                if path not in job.seen and self.stamp(path) not in (None, job.before.get(path)):
                    job.seen.add(path)
                    job.line.done += 1
                    job.seen_at = now

    @property
    def running(self) -> list[Line]:
        """Lines that have a job at work, in the order of the plan."""
        at_work = {id(self._jobs[name].line) for name in self._running}
        return [line for line in self.lines.values() if id(line) in at_work]

    @property
    def n_jobs(self) -> int:
        """Jobs of the run."""
        return len(self._jobs)

    def seconds_left(self, line: Line) -> float | None:
        """Estimate what a line still takes at its stage's pace, one job after the other; None before one is done."""
        seconds, n = self._spent.get(line.stage, (0.0, 0))
        for job in (self._jobs[name] for name in self._running):
            if job.seen and job.line.stage == line.stage:
                seconds, n = seconds + job.seen_at - job.started, n + len(job.seen)
        return (line.total - line.done) * seconds / n if n else None

    def all_left(self) -> tuple[float, bool]:
        """Estimate what all lines still take, with as many jobs at a time as now; also whether every pace is known."""
        left = [self.seconds_left(line) for line in self.lines.values() if not line.complete]
        known = [seconds for seconds in left if seconds is not None]
        return sum(known) / max(len(self._running), 1), len(known) == len(left)


def duration(seconds: float) -> str:
    """Write a duration as a person would."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
