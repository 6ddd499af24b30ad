"""Kinds of fault that a run tells apart (a third, a fault of the machine, is whatever else is raised)."""

import reprlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class RequestError(ValueError):
    """What was asked for cannot be: a wrong key, a missing local step, a panel larger than its corpus."""


def do_each(items: Iterable[T], work: Callable[[T], None]) -> None:
    """Do the work for every item; the first `RequestError` is raised after all of them: one harms no other."""
    refused = []
    for item in items:
        try:
            work(item)
        except RequestError as error:
            refused.append(error)
    if refused:
        raise refused[0]


class DataFault(RuntimeError):
    """A checkpoint's bytes are not what they should be; it becomes a status and a reason, and the others go on."""


class DamagedFile(RuntimeError):
    """A file that this package wrote is no longer what was written: a fault of the machine."""

    def __init__(self, path: Path | str, how: str) -> None:
        super().__init__(f"{path} is damaged: {how}")
        self.path, self.how = Path(path), how

    def set_aside(self) -> str:
        """Rename the file, so that the next run makes it again; return its new name."""
        aside = self.path.with_name(f"{self.path.name}.damaged")
        if self.path.is_file():
            with suppress(FileNotFoundError):  # another job that reads it may do the same
                self.path.replace(aside)
        return str(aside)


class DamagedTable(DamagedFile):
    """A table of which that is so."""


def shown(value: object) -> str:
    """Return a value as it may stand in a message, whatever it is: escaped, and cut where it is long or deep."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = 120
    return short.repr(value)
