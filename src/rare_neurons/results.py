"""Read results: each function opens only the files, rows and columns that are asked for."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from rare_neurons.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
SHARDS = (
    "influence",
    "folds",
    "behaviour",
    "activations",
    "gradients",
    "groups",
    *(t for m in METRICS for t in m.tables),
)
"""Tables with one file per panel, model and step."""
CHECKPOINT_SHARDS = ("spectra", "fingerprint")
"""Tables with one file per model and step."""
_STEP = re.compile(r"step(\d+)\.parquet")


def load_timeline(
    results: str | Path,
    quantity: str,
    *,
    models: str | Sequence[str] | None = None,
    steps: Iterable[int] | None = None,
    stratum: str | Sequence[str] | None = None,
    panel: str | None = None,
    columns: Sequence[str] | None = None,
    include_quarantined: bool = False,
    pandas: bool = False,
) -> "pa.Table | pd.DataFrame":
    """Load one quantity over all steps.

    Parameters
    ----------
    results : str or Path
        The results folder.
    quantity : str
        A folder of ``timelines``: behaviour, influence, differentiation, regimes, spectra, emergence, …
    models : str or sequence of str, optional
        All by default.
    steps : iterable of int, optional
    stratum : str or sequence of str, optional
    panel : str, optional
    columns : sequence of str, optional
    include_quarantined : bool
        Whether checkpoints that integrity has quarantined are kept.
    pandas : bool
        Return a data frame instead of an Arrow table.

    Raises
    ------
    FileNotFoundError
        If there is no such quantity or model; the message says which there are.

    Examples
    --------
    >>> load_timeline("results", "influence", stratum="rare", pandas=True)  # doctest: +SKIP
    """
    folder = Path(results) / "timelines" / quantity
    chosen = _choose({path.stem: path for path in sorted(folder.glob("*.parquet"))}, models, folder)
    keep = {"step": steps, "stratum": stratum, "panel": panel}
    if not include_quarantined and quantity not in ("emergence", "members"):
        keep["quarantined"] = False
    return _read(chosen, keep, columns, pandas)


def load_shards(
    results: str | Path,
    table: str,
    *,
    models: str | Sequence[str] | None = None,
    steps: Iterable[int] | None = None,
    stratum: str | Sequence[str] | None = None,
    panel: str | None = None,
    columns: Sequence[str] | None = None,
    pandas: bool = False,
) -> "pa.Table | pd.DataFrame":
    """Load a per-checkpoint table: one of `SHARDS` or `CHECKPOINT_SHARDS`; arguments as in `load_timeline`."""
    if table not in SHARDS + CHECKPOINT_SHARDS:
        raise ValueError(f"unknown table {table!r}; known: {', '.join(SHARDS + CHECKPOINT_SHARDS)}")
    root = Path(results) / table
    panels = [root] if table in CHECKPOINT_SHARDS else [p for p in sorted(root.glob("*")) if panel in (None, p.name)]
    wanted = None if steps is None else set(steps)
    by_model: dict[str, list[Path]] = {}
    for folder in panels:
        for model in sorted(p for p in folder.glob("*") if p.is_dir()):
            found = [(int(match[1]), path) for path in model.iterdir() if (match := _STEP.fullmatch(path.name))]
            kept = [path for step, path in sorted(found) if wanted is None or step in wanted]
            by_model.setdefault(model.name, []).extend(kept)
    files = [path for kept in _choose(by_model, models, root) for path in kept]
    if not files:
        raise FileNotFoundError(f"no {table} shards for models={models}, steps={steps}, panel={panel} under {root}")
    return _read(files, {"stratum": stratum}, columns, pandas)


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
    folder = Path(results) / "integrity"
    return _read(_choose({p.stem: p for p in sorted(folder.glob("*.parquet"))}, models, folder), {}, None, pandas)


def load_claims(
    results: str | Path, *, subjects: str | Sequence[str] | None = None, pandas: bool = False
) -> "pa.Table | pd.DataFrame":
    """Load what is claimed of each group of seeds, or single model, with the verdicts."""
    folder = Path(results) / "claims"
    return _read(_choose({p.stem: p for p in sorted(folder.glob("*.parquet"))}, subjects, folder), {}, None, pandas)


def list_models(results: str | Path) -> list[str]:
    """Names of the models that have results."""
    return sorted(path.stem for path in (Path(results) / "integrity").glob("*.parquet"))


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
    data = ds.dataset([str(path) for path in files], format="parquet")
    condition = None
    for name, value in keep.items():
        if value is None or name not in data.schema.names:
            continue
        values = [value] if isinstance(value, str | bool | int) else list(value)
        test = pc.field(name).isin(values)
        condition = test if condition is None else condition & test
    unknown = sorted(set(columns or ()) - set(data.schema.names))
    if unknown:
        raise ValueError(f"no column {', '.join(unknown)}; known: {', '.join(data.schema.names)}")
    table = data.to_table(columns=None if columns is None else list(columns), filter=condition)
    return table.to_pandas() if pandas else table
