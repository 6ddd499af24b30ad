"""Small tables of the catalogue, of which a test gives the columns that it is about."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from rare_neurons.checkpoints.manifest import write_manifest
from rare_neurons.checkpoints.sources import Source, resolve
from rare_neurons.numerics.influence.rows import PER_NEURON, PER_TARGET
from rare_neurons.tables import from_rows, table_entry, table_schema, write_rows

OK = {"commit": None, "weights_sha256": "w", "dtype": "float32", "status": "ok", "reason": None}
BAD = {**OK, "status": "bad_checkpoint", "reason": "a file is cut off"}


def put(root: Path, name: str, place: Mapping[str, object], rows: Sequence[Mapping], about: Mapping = OK) -> str:
    """Write a table where the catalogue puts it; what a row does not say is null, or empty where it must not be."""
    blank = {field.name: None if field.nullable else _blank(field.type) for field in table_schema(name)}
    path = root / table_entry(name).path.format(**place)
    kept = {key: value for key, value in place.items() if key in blank}
    write_rows(name, from_rows(name, [{**blank, **kept, **row} for row in rows]), path, about)
    return str(path)


def put_influence(root: Path, place: Mapping[str, object], values: Mapping[str, np.ndarray], **columns: object) -> str:
    """An influence shard; the other quantities of a neuron are fractions of its influence."""
    shares = {name: 1 / (2 + i) for i, name in enumerate(PER_NEURON)} | {"influence": 1.0}
    rows = [
        {"neuron": i, "stratum": stratum, **{name: share * x for name, share in shares.items()}, **columns}
        for stratum, influence in values.items()
        for i, x in enumerate(np.asarray(influence).tolist())
    ]
    return put(root, "influence", place, rows)


def put_cells(root: Path, place: Mapping[str, object], sums: Mapping[str, np.ndarray], n_targets: int = 5) -> str:
    """A shard of cell sums `[fold, bin, neuron]` by stratum; the part within the stratum is half of them."""
    rows = [
        {
            "stratum": s,
            "fold": fold,
            "type_bin": type_bin,
            "n_targets": n_targets,
            "influence_sum": one[fold, type_bin].tolist(),
            "within_sum": (one[fold, type_bin] / 2).tolist(),
        }
        for s, one in sums.items()
        for fold, type_bin in np.ndindex(one.shape[:2])
    ]
    return put(root, "cells", place, rows)


def put_behaviour(root: Path, place: Mapping[str, object], loss: Mapping[str, Sequence[float]], n=(3,)) -> str:
    """A behaviour shard with these losses by fold; `n` targets a fold, taken in turn."""
    rows = [
        {"stratum": s, "fold": i, "n_targets": n[i % len(n)], **dict.fromkeys(PER_TARGET, 0.0), "loss": x}
        for s, folds in loss.items()
        for i, x in enumerate(folds)
    ]
    return put(root, "behaviour", place, rows)


def put_integrity(root: Path, model: str, statuses: Mapping[int, str]) -> str:
    """An integrity table; every status but ``ok`` and ``unchanged`` is held."""
    rows = [{"step": s, "status": x, "quarantined": x not in ("ok", "unchanged")} for s, x in statuses.items()]
    return put(root, "integrity", {"model": model}, rows)


def put_manifest(path: Path, run: Path, step: int) -> str:
    """The manifest of a checkpoint in a folder ``{run}/step{step}``."""
    write_manifest(resolve("m", step, Source("folder", str(run / "step{step}"))), path)
    return str(path)


def _blank(kind: pa.DataType) -> object:
    if pa.types.is_list(kind):
        return []
    return {pa.string(): "", pa.bool_(): False}.get(kind, 0)
