"""Files that another folder's runs have made: taken where they are what is asked for, refused where they are not.

Snakemake compares parameters with its own records of a run, which lie beside the workflow. A second clone and a copied
results folder have none, or those of other files under the same names; there the files speak for themselves.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rare_neurons.catalogue import VERSIONS
from rare_neurons.checkpoints.manifest import read_manifest
from rare_neurons.errors import DamagedFile, RequestError
from rare_neurons.origins.asked import MANIFEST, RECIPE, Asked, Key, path_of
from rare_neurons.origins.inputs import Inputs
from rare_neurons.origins.parameters import differing, has_metadata, params_of, rule_of
from rare_neurons.origins.tree import as_sentences, stale_inputs
from rare_neurons.tables import digest_of, read_metadata
from rare_neurons.tables.files import atomic_path

KNOWN = ".known.json"
"""In the results folder: what was asked of each file when it was last found good, by its size and time."""
Span = tuple[float, float]
Records = Callable[[str], Span | None]
"""From a path to when the run that is on record for it began and ended (seconds since 1970)."""
_SLACK_S = 600.0  # clocks of a cluster's machines differ, and a touched file is a little younger than its record
_SHOWN = 5


@dataclass(frozen=True)
class Foreign:
    """A file that is not what is asked for, made by a run that is not on record here."""

    path: str
    why: tuple[str, ...]


def refuse_foreign(results: Path | str, asked: Asked, records: Records) -> None:
    """Refuse a results folder with files of other parameters that no run on record has made.

    Of a file that is on record only parameters are compared, once per state of the file; of others also the inputs.
    What a run on record has made under other parameters is left to Snakemake, which makes it again.

    Raises
    ------
    RequestError
        Naming files, what differs, and what can be done.
    """
    foreign = list(find_foreign(Path(results), asked, records))
    if not foreign:
        return
    shown = "; ".join(f"{one.path}: {', '.join(one.why[:_SHOWN])}" for one in foreign[:_SHOWN])
    more = f"; and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
    raise RequestError(
        f"{len(foreign)} files in {results} are not what is asked for, and no run on record here has made them "
        f"({shown}{more}). Ask for what they are, or name another results folder; or look at them all with "
        f"`python -m rare_neurons.check {results} --config FILE …`, which with --set-aside has them made again and "
        "with --adopt takes them as they are"
    )


def find_foreign(results: Path, asked: Asked, records: Records) -> Iterator[Foreign]:
    """Find such files, and note those that are as asked."""
    known = _read_known(results)
    seen, inputs, due_of = dict(known), Inputs(results, asked), _Due(asked)
    for key, path, state in _there(results, asked):
        due = [*state, due_of(key)]
        if known.get(path) == due:
            continue
        span = records(f"{results}/{path}")
        why = _differs(results, asked, key, inputs if span is None else None)
        if not why:
            seen[path] = due
        elif span is None or not span[0] - _SLACK_S <= state[0] / 1e9 <= span[1] + _SLACK_S:
            yield Foreign(path, tuple(why))
    if seen != known:
        _write_known(results, seen)


def adopt(results: Path | str, asked: Asked) -> int:
    """Note every file that is there as what is asked for; returns how many."""
    results, due_of = Path(results), _Due(asked)
    seen = {path: [*state, due_of(key)] for key, path, state in _there(results, asked)}
    _write_known(results, _read_known(results) | seen)
    return len(seen)


def _there(results: Path, asked: Asked) -> Iterator[tuple[Key, str, tuple[int, int]]]:
    for key in asked.keys:
        path = path_of(key)
        try:
            stat = os.stat(results / path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        yield key, path, (stat.st_mtime_ns, stat.st_size)


class _Due:
    """Digest of what is asked of a file; tables of all steps are asked the same."""

    def __init__(self, asked: Asked) -> None:
        self._asked, self._known = asked, {}

    def __call__(self, key: Key) -> str:
        same = key[:-1] if has_metadata(key) and isinstance(key[-1], int) else key
        if same not in self._known:
            self._known[same] = digest_of([VERSIONS[rule_of(key)], params_of(self._asked, key)])
        return self._known[same]


def _differs(results: Path, asked: Asked, key: Key, inputs: Inputs | None) -> list[str]:
    path = results / path_of(key)
    try:
        if has_metadata(key):
            about = read_metadata(path)
            others = [] if inputs is None else stale_inputs(key, about, inputs)
            return [*as_sentences(differing(asked, key, about)), *others]
        if key[0] == MANIFEST:
            return as_sentences(differing(asked, key, vars(read_manifest(path))))
        if key[0] == RECIPE:
            return as_sentences(differing(asked, key, json.loads(path.read_text(encoding="utf-8"))))
    except FileNotFoundError:  # an input, which the run makes again, and then what follows from it
        return []
    except (DamagedFile, ValueError) as error:
        return [str(error)]
    return []


def _read_known(results: Path) -> dict[str, list]:
    try:
        known = json.loads((results / KNOWN).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # a damaged one is made again
        return {}
    return known if isinstance(known, dict) else {}


def _write_known(results: Path, known: Mapping[str, list]) -> None:
    with atomic_path(results / KNOWN) as temporary:
        temporary.write_text(json.dumps(known, sort_keys=True), encoding="utf-8")
