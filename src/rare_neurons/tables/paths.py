"""Paths of a results tree: built from the catalogue there, taken apart by it here."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from rare_neurons.catalogue import TABLES, TIMELINES
from rare_neurons.tables.schema import table_entry

Key = tuple[str | int, ...]
"""Name of the table, then the values of its path's wildcards in their order; a step is a number."""


def key_of(path: Path | str) -> Key:
    """Say which table of the catalogue a path is, and of what, in whatever folder the tree lies.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> key_of("results/influence/heldout/seed0/step16.parquet")
    ('influence', 'heldout', 'seed0', 16)
    """
    text = Path(path).as_posix()
    found = [(match.start(), name, match) for name, form in _forms().items() if (match := form.search(text))]
    if not found:
        raise ValueError(f"{text} is no table of the catalogue")
    # A panel may bear a table's name: what reaches further to the left is the whole of the path.
    _, name, match = min(found)
    return (name, *(int(value) if word == "step" else value for word, value in match.groupdict().items()))


def index_paths(paths: Iterable[str]) -> dict[Key, str]:
    """Find paths by their key."""
    return {key_of(path): path for path in paths}


def find_tables(results: Path | str, name: str) -> dict[Key, Path]:
    """Find all files of one table in a results folder, in the order of their keys."""
    everywhere = re.sub(r"\{\w+\}", "*", table_entry(name).path)
    found = ((key_of(path), path) for path in Path(results).glob(everywhere) if _forms()[name].search(path.as_posix()))
    return dict(sorted(found))


@cache
def _forms() -> dict[str, re.Pattern[str]]:
    """Return the form of each table's path: steps are digits, other wildcards one folder or file."""
    forms = {}
    for name, table in {**TABLES, **TIMELINES}.items():
        text = re.escape(table.path).replace(r"\{", "{").replace(r"\}", "}")
        text = re.sub(r"\{(\w+)\}", lambda m: rf"(?P<{m[1]}>{r'[0-9]+' if m[1] == 'step' else '[^/]+'})", text)
        forms[name] = re.compile(rf"(?:^|(?<=/)){text}$")
    return forms
