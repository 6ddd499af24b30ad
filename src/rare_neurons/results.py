"""Read results: each function opens only the files, rows and columns that are asked for."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from rare_neurons.catalogue import TABLES, TIMELINES
from rare_neurons.errors import DamagedTable
from rare_neurons.tables import find_tables, keys_of, read_checked, sort_rows

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
SHARDS = {name: table for name, table in TABLES.items() if table.path.endswith("/step{step}.parquet")}
"""Tables with one file per model and step, and per panel where they have one."""
UNHELD = ("members", "alpha_events", "evidence", "onsets", "turns", "courses")
"""Timelines that quarantined checkpoints never enter."""
# Where a file has no seal, its page checksums are all there is; beside a seal they cost little.
_FORMAT = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)
_AT_ONCE, _THREADS = 64, 4
"""Files that are in memory together before their rows are chosen, and threads that read and check them."""


def load_timeline(
    results: str | Path,
    quantity: str,
    *,
    models: str | Sequence[str] | None = None,
    steps: Iterable[int] | None = None,
    columns: Sequence[str] | None = None,
    include_quarantined: bool = False,
    pandas: bool = False,
    **where: object,
) -> "pa.Table | pd.DataFrame":
    """Load one quantity over all steps.

    Parameters
    ----------
    results : str or Path
        The results folder.
    quantity : str
        A folder of ``timelines``: behaviour, influence, inequality, moments, spectra, courses, …
    models : str or sequence of str, optional
        All by default.
    steps : iterable of int, optional
    columns : sequence of str, optional
    include_quarantined : bool
        Whether checkpoints that integrity has quarantined are kept.
    pandas : bool
        Return a data frame instead of an Arrow table.
    **where
        Further columns and the value, or values, that they must have: ``stratum="rare"``, ``sign=["all", "boost"]``.

    Raises
    ------
    FileNotFoundError
        If there are no results of a model; the message says of which there are.
    ValueError
        If there is no such quantity or column.

    Examples
    --------
    >>> load_timeline("results", "influence", stratum="rare", pandas=True)  # doctest: +SKIP
    """
    name = f"timelines/{quantity}"
    if name not in {**TABLES, **TIMELINES}:
        known = (table.removeprefix("timelines/") for table in (*TIMELINES, *TABLES) if table.startswith("timelines/"))
        raise ValueError(f"unknown quantity {quantity!r}; known: {', '.join(known)}")
    held = {} if include_quarantined or quantity in UNHELD else {"quarantined": False}
    return _read(_files(results, name, models), {"step": steps, **where, **held}, columns, pandas)


def load_shards(
    results: str | Path,
    table: str,
    *,
    models: str | Sequence[str] | None = None,
    steps: Iterable[int] | None = None,
    columns: Sequence[str] | None = None,
    pandas: bool = False,
    **where: object,
) -> "pa.Table | pd.DataFrame":
    """Load a per-checkpoint table: one of `SHARDS`; arguments as in `load_timeline`."""
    if table not in SHARDS:
        raise ValueError(f"unknown table {table!r}; known: {', '.join(SHARDS)}")
    panel = where.pop("panel", None) if "panel" in SHARDS[table].wildcards else None
    wanted = None if steps is None else set(steps)
    by_model: dict[str, list[Path]] = {}
    for (_, *panels, model, step), path in find_tables(results, table).items():
        if panel in (None, *panels) and (wanted is None or step in wanted):
            by_model.setdefault(str(model), []).append(path)
    root = Path(results) / table
    files = [path for kept in _choose(by_model, models, root) for path in kept]
    if not files:
        raise FileNotFoundError(f"no {table} shards for models={models}, steps={steps}, panel={panel} under {root}")
    return _read(files, where, columns, pandas)


def load_influence(results: str | Path, **selection: object) -> "pa.Table | pd.DataFrame":
    """Load the influence of every neuron; selection as in `load_shards`."""
    return load_shards(results, "influence", **selection)


def load_spectra(results: str | Path, **selection: object) -> "pa.Table | pd.DataFrame":
    """Load the spectra of every weight matrix; selection as in `load_shards`."""
    return load_shards(results, "spectra", **selection)


def load_integrity(
    results: str | Path, *, models: str | Sequence[str] | None = None, pandas: bool = False
) -> "pa.Table | pd.DataFrame":
    """Load the verdict on every checkpoint."""
    return _read(_files(results, "integrity", models), {}, None, pandas)


def load_evidence(
    results: str | Path, *, subjects: str | Sequence[str] | None = None, pandas: bool = False
) -> "pa.Table | pd.DataFrame":
    """Load what is said of each subject, or single model, tier by tier."""
    return _read(_files(results, "timelines/evidence", subjects), {}, None, pandas)


def list_models(results: str | Path) -> list[str]:
    """Names of the models that have results."""
    return [str(model) for _, model in find_tables(results, "integrity")]


def _files(results: str | Path, name: str, wanted: str | Sequence[str] | None) -> list[Path]:
    """Files of a table with one for each model, or subject."""
    found = {str(key[-1]): path for key, path in find_tables(results, name).items()}
    return _choose(found, wanted, Path(results) / name)


def _choose(found: dict[str, T], wanted: str | Sequence[str] | None, folder: Path) -> list[T]:
    names = list(found) if wanted is None else [wanted] if isinstance(wanted, str) else list(wanted)
    missing = [name for name in names if name not in found]
    if missing or not names:
        raise FileNotFoundError(
            f"no {', '.join(missing) or 'results'} in {folder}; there: {', '.join(found) or 'nothing'}"
        )
    return [found[name] for name in names]


def _read(
    files: Sequence[Path], keep: dict[str, object], columns: Sequence[str] | None, pandas: bool
) -> "pa.Table | pd.DataFrame":
    """Read rows and columns of checked files, a few at a time, so that only what is asked for stays in memory."""
    schema = _on(files[0], lambda: _checked(files[0]).physical_schema)
    keep = {name: value for name, value in keep.items() if value is not None}
    unknown = sorted({*(columns or ()), *keep} - set(schema.names))
    if unknown:
        raise ValueError(f"no column {', '.join(unknown)}; known: {', '.join(schema.names)}")
    condition, keys = _condition(keep), keys_of(schema)
    wanted = None if columns is None else list(dict.fromkeys([*columns, *keys]))

    def rows(*fragments: ds.Fragment) -> pa.Table:
        return ds.FileSystemDataset(fragments, schema, _FORMAT).to_table(columns=wanted, filter=condition)

    parts, rest = [], iter(files)
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        while some := list(islice(rest, _AT_ONCE)):
            fragments = list(pool.map(_checked, some))
            try:
                parts.append(rows(*fragments))
            except (OSError, ValueError):
                parts += [_on(path, partial(rows, one)) for path, one in zip(some, fragments, strict=True)]
    table = _on(files[0].parent, lambda: sort_rows(pa.concat_tables(parts), keys))
    table = table if columns is None else table.select(list(columns))
    return table.to_pandas() if pandas else table


def _checked(path: Path) -> ds.Fragment:
    return _FORMAT.make_fragment(read_checked(path)[0])


def _on(path: Path, read: Callable[[], T]) -> T:
    """Name the file, or the folder, in what Arrow raises: its own kinds of damage are subclasses of both."""
    try:
        return read()
    except (OSError, ValueError) as error:
        raise DamagedTable(path, str(error)) from error


def _condition(keep: dict[str, object]) -> ds.Expression | None:
    condition = None
    for name, value in keep.items():
        values = [value] if isinstance(value, str | bool | int) else list(value)
        test = pc.field(name).isin(values)
        condition = test if condition is None else condition & test
    return condition
