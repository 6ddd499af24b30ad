"""Folders that a run may write to, judged by their names alone."""

import posixpath
from collections.abc import Iterable, Mapping

_ALLOWED = "a folder of its own is needed, without braces, line breaks, spaces at its ends or ~ (such as results)"


def bad_folders(config: Mapping[str, object]) -> Iterable[str]:
    """Sentences about folders that nothing can be written to, or that would be the whole disk.

    Examples
    --------
    >>> [text.partition(";")[0] for text in bad_folders({"results": "/", "cache": {"folder": "cache"}})]
    ["results: '/' is not allowed"]
    """
    places = {"results": str(config["results"]), "cache.folder": str(config["cache"]["folder"])}
    bad = {place: name for place, name in places.items() if not _is_folder_name(name)}
    yield from (f"{place}: {name!r} is not allowed; {_ALLOWED}" for place, name in bad.items())
    results, cache = (posixpath.normpath(name) for name in places.values())
    if not bad and results == cache:
        yield f"cache.folder: {places['cache.folder']!r} is not allowed; it is the results folder, choose another"


def _is_folder_name(name: str) -> bool:
    # Braces are wildcards of the workflow, and nobody expands ~.
    odd = set("{}") & set(name) or not name.isprintable() or name != name.strip() or name.startswith("~")
    parts = set(posixpath.normpath(name).split("/"))
    return bool(name) and not odd and not parts <= {"", ".", ".."}
