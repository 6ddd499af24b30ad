"""One file of shards for each table and model, for those who read a whole model often."""

from collections.abc import Iterable
from pathlib import Path

from rare_neurons.selection import SHARDS, refuse, shards_by_model
from rare_neurons.tables import write_compact


def compact_shards(
    results: str | Path, *, tables: str | Iterable[str] | None = None, models: str | Iterable[str] | None = None
) -> list[Path]:
    """Write one file for each table and model that has shards, which loaders take while it is of these shards.

    Parameters
    ----------
    results : str or Path
        The results folder.
    tables, models : str or iterable of str, optional
        All by default.

    Returns
    -------
    list of Path
        The files, ``compact/{table}/{model}.parquet``.

    Raises
    ------
    RequestError
        If a table or model has no shards, or the shards of a model have different columns.
    """
    shards = {name: shards_by_model(results, name) for name in _chosen("table", tables, SHARDS, Path(results))}
    known = list(dict.fromkeys(model for found in shards.values() for model in found))
    names = _chosen("model", models, known, Path(results))
    written = []
    for name, found in shards.items():
        if tables is not None:
            _chosen("model", names or None, found, Path(results) / name)
        written += [write_compact(results, name, model, [*found[model].values()]) for model in names if model in found]
    return written


def _chosen(what: str, asked: str | Iterable[str] | None, known: Iterable[str], place: Path) -> list[str]:
    names = list(known if asked is None else [asked] if isinstance(asked, str) else asked)
    missing = [name for name in names if name not in known]
    if missing:
        refuse(what, missing, known, place)
    return names
