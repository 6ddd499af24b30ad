"""What a job tells a person: a log file, a progress bar, and one sentence when the request was wrong."""

import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from rare_neurons.errors import DamagedFile, RequestError
from rare_neurons.stages.no_pandas import arrow_without_pandas


class _Tee:
    """Writes to the terminal and, without the redrawn lines of progress bars, to a log."""

    def __init__(self, terminal: TextIO, log: TextIO) -> None:
        self._terminal, self._log = terminal, log

    def write(self, text: str) -> int:
        if not text.startswith("\r"):
            self._log.write(text)
        return self._terminal.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._terminal, name)


@contextmanager
def reported(log: str | Path) -> Iterator[None]:
    """Copy what the block writes to stderr into a log; a fault that has one ends with its sentence.

    A job that had nothing to say leaves no log: in a large sweep they would be a quarter of all files. A job without
    need of pandas is spared its import.
    """
    arrow_without_pandas()
    path = Path(log)
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal = sys.stderr
    with path.open("w", encoding="utf-8") as file:
        sys.stderr = _Tee(terminal, file)
        try:
            yield
        except (RequestError, ConnectionError) as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(1)
        except DamagedFile as error:
            print(f"error: {error}. It is now {error.set_aside()}; the next run makes it again", file=sys.stderr)
            sys.exit(1)
        except BaseException:
            file.write(traceback.format_exc())
            raise
        finally:
            sys.stderr = terminal
    with suppress(FileNotFoundError):  # a job that outlived its Snakemake has written to the same log
        if path.stat().st_size == 0:
            path.unlink()


def bar(items: Iterable, *, label: str, total: int | None = None, initial: int = 0) -> tqdm:
    """Wrap an iterable in a progress bar on stderr, redrawn at most every two seconds."""
    return tqdm(items, desc=label, total=total, initial=initial, mininterval=2.0, file=sys.stderr, dynamic_ncols=True)
