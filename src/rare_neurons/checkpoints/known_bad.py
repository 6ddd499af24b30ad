"""Public reports of bad revisions: shown as a warning, never instead of the check."""

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Report:
    """A public report on revisions of a repository (both shell patterns), with its address."""

    repository: str
    revisions: tuple[str, ...]
    fault: str
    source: str


@cache
def reports() -> tuple[Report, ...]:
    """All reports of ``known_bad.json``."""
    text = files("rare_neurons.checkpoints").joinpath("known_bad.json").read_text(encoding="utf-8")
    return tuple(Report(**{**entry, "revisions": tuple(entry["revisions"])}) for entry in json.loads(text)["entries"])


def reports_on(repository: str, revision: str | None) -> tuple[Report, ...]:
    """Find the reports on one revision; none for local folders."""
    return tuple(
        report
        for report in reports()
        if revision is not None
        and fnmatchcase(repository, report.repository)
        and any(fnmatchcase(revision, pattern) for pattern in report.revisions)
    )
