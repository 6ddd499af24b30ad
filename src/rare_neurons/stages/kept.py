"""Finished tables out of Snakemake's reach: it deletes every output of a job before the job runs and when it fails.

A job of many checkpoints that is killed, that gets one checkpoint more, or whose checkpoints are divided otherwise
takes from here what it has measured before. A kept file is a second name of the table's own bytes, so it takes no room.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from rare_neurons.errors import DamagedTable
from rare_neurons.tables import atomic_path, read_checked, read_metadata

FOLDER = ".kept"
_FOUND = ("status", "reason", "tokenizer")


class Kept:
    """Tables that earlier jobs have finished.

    Parameters
    ----------
    results : Path or str or None
        Results folder, in which the names lie under ``.kept``; None keeps nothing and restores nothing.
    forced : bool
        Whether everything is to be made anew, whatever is kept (``snakemake --forcerun``).
    """

    def __init__(self, results: Path | str | None, *, forced: bool = False) -> None:
        self._results = None if results is None else Path(results)
        self._forced = forced

    def restore(self, outputs: Mapping[str, str], abouts: Mapping[str, Mapping[str, object]]) -> bool:
        """Put tables back that were made of the same inputs, parameters and versions, if all are there and whole.

        Parameters
        ----------
        outputs : mapping of str to str
            Paths by table.
        abouts : mapping of str to mapping
            Provenance that each would be written with; what is found of the checkpoint itself does not count.
        """
        kept = {name: self._place(output) for name, output in outputs.items()}
        if self._forced or not all(place is not None and _is(place, abouts[name]) for name, place in kept.items()):
            return False
        for name, output in outputs.items():
            _second_name(kept[name], Path(output))
        return True

    def keep(self, outputs: Mapping[str, str]) -> None:
        """Give finished tables a second name."""
        for output in outputs.values():
            place = self._place(output)
            if place is not None:
                _second_name(Path(output), place)

    def _place(self, output: str) -> Path | None:
        if self._results is None or not Path(output).is_relative_to(self._results):
            return None
        return self._results / FOLDER / Path(output).relative_to(self._results)


NOTHING = Kept(None)
"""Keeps nothing."""


def _is(path: Path, about: Mapping[str, object]) -> bool:
    """Whether a kept table is there, whole, good, and made of what `about` says."""
    try:
        found = read_metadata(path)
        if found.get("status", "ok") != "ok" or _made_of(found) != _made_of(about):
            return False
        return read_checked(path)[1]
    except FileNotFoundError:
        return False
    except DamagedTable:
        path.unlink()
        return False


def _made_of(about: Mapping[str, object]) -> dict[str, object]:
    return json.loads(json.dumps({key: value for key, value in about.items() if key not in _FOUND}))


def link_or_copy(source: Path | str, target: Path | str) -> None:
    """Give a file a second name, where the file system can; else copy it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _second_name(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        link_or_copy(source, temporary)
    if temporary.exists():  # renaming a file onto another name of itself does nothing
        temporary.unlink()
