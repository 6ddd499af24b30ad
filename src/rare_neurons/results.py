"""Read results: each function opens only the files, rows and columns that are asked for.

Needs pandas and pyarrow alone. Where a list is taken, one value is too; what is not there is refused with what is.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from rare_neurons.errors import RequestError
from rare_neurons.selection import SHARDS, Choice, MissingSteps, read_joined, read_shards, read_timeline
from rare_neurons.tables import find_tables

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "SHARDS",
    "MissingSteps",
    "list_models",
    "load_evidence",
    "load_influence",
    "load_integrity",
    "load_shards",
    "load_spectra",
    "load_timeline",
]

Format = Literal["pandas", "arrow"]
Names = str | Iterable[str] | None
Steps = int | Iterable[int] | None
_FORMATS = ("pandas", "arrow")


def load_timeline(
    results: str | Path,
    quantity: str,
    *,
    models: Names = None,
    steps: Steps = None,
    columns: Names = None,
    include_quarantined: bool = False,
    format: Format = "pandas",
    **where: object,
) -> "pd.DataFrame | pa.Table":
    """Load one quantity over all steps.

    Parameters
    ----------
    results : str or Path
        The results folder.
    quantity : str
        A folder of ``timelines``: behaviour, influence, inequality, moments, spectra, courses, …
    models : str or iterable of str, optional
        Models, or subjects where the quantity is one of a subject; all by default.
    steps : int or iterable of int, optional
        All by default. A step that no chosen model has is refused; one that some of them lack is a `MissingSteps`
        warning that names them, and so is one that is left out because it is quarantined.
    columns : str or iterable of str, optional
    include_quarantined : bool
        Whether checkpoints that integrity has quarantined are kept.
    format : {"pandas", "arrow"}
        A data frame or an Arrow table; the latter's schema has the unit and meaning of every column.
    **where
        Further columns and the value, or values, that they must have: ``stratum="rare"``, ``sign=["all", "boost"]``.

    Raises
    ------
    RequestError
        A `ValueError`: if there is no such folder, quantity, model, step, column or value of a column; it names those
        that are near, and all that are there.

    Examples
    --------
    >>> load_timeline("results", "influence", stratum="rare", steps=1000)  # doctest: +SKIP
    """
    choice = Choice(models, steps, columns, where)
    return _as(format, lambda: read_timeline(results, quantity, choice, include_quarantined=include_quarantined))


def load_shards(
    results: str | Path,
    table: str,
    *,
    models: Names = None,
    steps: Steps = None,
    columns: Names = None,
    format: Format = "pandas",
    **where: object,
) -> "pd.DataFrame | pa.Table":
    """Load a per-checkpoint table: one of `SHARDS`; arguments as in `load_timeline`.

    Quarantined checkpoints are among them: shards are what was measured, before any verdict.
    """
    return _as(format, lambda: read_shards(results, table, Choice(models, steps, columns, where)))


def load_influence(results: str | Path, **selection: object) -> "pd.DataFrame | pa.Table":
    """Load the influence of every neuron; selection as in `load_shards`."""
    return load_shards(results, "influence", **selection)


def load_spectra(results: str | Path, **selection: object) -> "pd.DataFrame | pa.Table":
    """Load the spectra of every weight matrix; selection as in `load_shards`."""
    return load_shards(results, "spectra", **selection)


def load_integrity(
    results: str | Path,
    *,
    models: Names = None,
    steps: Steps = None,
    columns: Names = None,
    format: Format = "pandas",
    **where: object,
) -> "pd.DataFrame | pa.Table":
    """Load the verdict on every checkpoint; arguments as in `load_timeline`."""
    return _as(format, lambda: read_joined(results, "integrity", Choice(models, steps, columns, where)))


def load_evidence(
    results: str | Path,
    *,
    subjects: Names = None,
    columns: Names = None,
    format: Format = "pandas",
    **where: object,
) -> "pd.DataFrame | pa.Table":
    """Load what is said of each subject, or single model, tier by tier; arguments as in `load_timeline`."""
    return _as(format, lambda: read_joined(results, "timelines/evidence", Choice(subjects, None, columns, where)))


def list_models(results: str | Path) -> list[str]:
    """Names of the models that have results: those with verdicts, or, where there are none yet, with any shard."""
    judged = [str(model) for _, model in find_tables(results, "integrity")]
    return judged or sorted({str(key[-2]) for name in SHARDS for key in find_tables(results, name)})


def _as(format: str, read: Callable[[], pa.Table]) -> "pd.DataFrame | pa.Table":
    if format not in _FORMATS:
        raise RequestError(f"no format {format!r}; there: {', '.join(_FORMATS)}")
    table = read()
    return table.to_pandas() if format == "pandas" else table
