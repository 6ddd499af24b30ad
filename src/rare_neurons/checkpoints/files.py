"""Files of a checkpoint folder, which may hold anything: regular files alone, never waited for; JSON in bounds."""

import json
import math
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rare_neurons.errors import DataFault, shown

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class JsonBounds:
    """How much a JSON file may hold: bytes, values (as commas and opening brackets count them), nesting.

    `unique`: whether an object that has a name twice is refused, where two readers might disagree.
    """

    bytes: int
    values: int
    depth: int
    unique: bool = True


# The largest configurations of supported families have 4 KB; label maps of classifiers reach 200 KB.
CONFIG_BOUNDS = JsonBounds(bytes=2**20, values=50_000, depth=8, unique=False)


def check_regular(path: Path) -> os.stat_result:
    """Return the status of a regular file, links followed.

    Raises
    ------
    DataFault
        If there is none under that name, or something else: a folder, a pipe, a device, a link to nothing.
    """
    path = Path(path)
    try:
        found = path.stat()
    except FileNotFoundError as error:
        word = "is a link to nothing" if path.is_symlink() else "is not there"
        raise DataFault(f"{path.name} of {path.parent.name} {word}") from error
    except OSError as error:
        if path.is_symlink():
            raise DataFault(f"{path.name} of {path.parent.name} is a link that cannot be followed") from error
        raise
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no file")
        raise DataFault(f"{path.name} of {path.parent.name} is {kind}, not a regular file")
    return found


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; as `check_regular`, and nothing else is waited for."""
    check_regular(path)
    # What was a file a moment ago may be a pipe now.
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        check_regular(path)
    return file


def regular_names(folder: Path, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return those of the names that are regular files of a folder."""
    return tuple(name for name in wanted if (folder / name).is_file())


def read_json(path: Path, bounds: JsonBounds) -> object:
    """Read a JSON file of a checkpoint.

    Raises
    ------
    DataFault
        If it is no regular file, is not JSON, or exceeds the bounds.
    """
    with open_regular(path) as file:
        text = file.read(bounds.bytes + 1)
    if len(text) > bounds.bytes:
        raise DataFault(f"{path.name} of {path.parent.name} has more than {bounds.bytes} bytes")
    try:
        return parse_json(text, bounds)
    except ValueError as error:
        raise DataFault(f"{path.name} of {path.parent.name} is not JSON: {error}") from error


def parse_json(text: bytes, bounds: JsonBounds) -> object:
    """Parse strict JSON, all numbers finite.

    Raises
    ------
    ValueError
        If it is none, or exceeds the bounds.
    """
    # Before anything is built: an empty object of two bytes takes seventy.
    n_values = sum(map(text.count, (b",", b"[", b"{")))
    if n_values > bounds.values:
        raise ValueError(f"{n_values} values, at most {bounds.values} are read")
    pairs = _once if bounds.unique else None
    try:
        value = json.loads(text.decode("utf-8"), parse_float=_finite, parse_constant=_finite, object_pairs_hook=pairs)
    except RecursionError as error:
        raise ValueError(f"nested deeper than {bounds.depth}") from error
    _check_depth(value, bounds.depth)
    return value


def read_config(folder: Path) -> dict[str, object]:
    """Read a checkpoint folder's `config.json`; `DataFault` where there is none or it is no JSON object."""
    path = Path(folder) / "config.json"
    if not os.path.lexists(path):
        raise DataFault(f"no config.json in {Path(folder).name}")
    config = read_json(path, CONFIG_BOUNDS)
    if not isinstance(config, dict):
        raise DataFault(f"config.json of {Path(folder).name} holds a {type(config).__name__}, not an object")
    return config


def _check_depth(value: object, limit: int) -> None:
    level, depth = [value], 0
    while nested := [node for node in level if isinstance(node, dict | list)]:
        depth += 1
        if depth > limit:
            raise ValueError(f"nested deeper than {limit}")
        level = [child for node in nested for child in (node.values() if isinstance(node, dict) else node)]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{shown(text)} is no finite number")
    return value


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a name twice in an object that begins with {shown(pairs[0][0])}")
    return found
