"""Stage of every metric: a checkpoint's influence in, the metric's tables out."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pyarrow as pa

from rare_neurons.catalogue import METRICS, load
from rare_neurons.numerics.influence.shard import InfluenceShard
from rare_neurons.numerics.regimes.null_tables import NullTable
from rare_neurons.stages.kept import NOTHING, Kept
from rare_neurons.stages.null_tables import read_null_tables
from rare_neurons.tables import file_sha256, from_rows, provenance, read_metadata, read_table, write_rows

_PLACE = ("panel", "model", "step")


def write_metric(
    outputs: Mapping[str, str],
    *,
    influence: str,
    cells: str,
    metric: str,
    options: Mapping[str, object],
    null_tables: str | None = None,
    kept: Kept = NOTHING,
) -> None:
    """Compute one metric of one checkpoint; a bad checkpoint's empty shard gives empty tables.

    What an earlier job has computed is not computed again.

    Parameters
    ----------
    outputs : mapping
        A path for each of the metric's tables.
    influence, cells : str
        Inputs.
    metric : str
        Name of its rule in the catalogue.
    options : mapping
        Keyword arguments of its function.
    null_tables : str, optional
        Input of metrics that test regimes.
    kept : Kept, optional
        Finished tables.
    """
    (rule,) = (m for m in METRICS if m.name == metric)
    paths = {"influence": influence, "cells": cells, "null_tables": null_tables}
    inputs = {name: file_sha256(path) for name, path in paths.items() if path}
    found = read_metadata(influence)
    of_checkpoint = {key: found[key] for key in ("commit", "weights_sha256", "dtype", "status", "reason")}
    about = provenance(metric, rule.version, options, inputs, **of_checkpoint)
    if kept.restore(outputs, dict.fromkeys(outputs, about)):
        return
    shard, place = _read(influence, cells, (inputs["influence"], inputs["cells"]))
    nulls = (
        {"null_tables": _nulls(null_tables, inputs["null_tables"]) if null_tables else ()} if rule.null_tables else {}
    )
    rows = load(rule.metric)(shard, **nulls, **options) if shard is not None else {}
    for table in rule.tables:
        write_rows(table.name, from_rows(table.name, rows.get(table.name, []), place), outputs[table.name], about)
    kept.keep(outputs)


def read_shard(influence: str, cells: str) -> InfluenceShard:
    """Read the probe's tables of one good checkpoint as arrays."""
    table = read_table(influence, ["stratum", "influence", "influence_se"])
    strata = tuple(dict.fromkeys(table["stratum"].to_pylist()))
    return _shard(strata, table, read_table(cells, ["fold", "type_bin", "n_targets", "influence_sum", "within_sum"]))


# By what the files hold: the metrics of one checkpoint read it once, and those of all a model's the same null tables.
@lru_cache(maxsize=1)
def _nulls(path: str, _digest: str) -> tuple[NullTable, ...]:
    return read_null_tables(path)


@lru_cache(maxsize=1)
def _read(influence: str, cells: str, _digests: tuple[str, str]) -> tuple[InfluenceShard | None, dict[str, object]]:
    table = read_table(influence, _PLACE)
    if table.num_rows == 0:
        return None, {}
    return read_shard(influence, cells), {name: table[name][0].as_py() for name in _PLACE}


def _shard(strata: tuple[str, ...], values: pa.Table, cells: pa.Table) -> InfluenceShard:
    n = len(strata)
    grid = (n, *(int(cells[side].to_numpy().max()) + 1 for side in ("fold", "type_bin")))
    sums = {
        name: cells[name].combine_chunks().flatten().to_numpy().astype(np.float64).reshape(*grid, -1)
        for name in ("influence_sum", "within_sum")
    }
    return InfluenceShard(
        strata=strata,
        influence=values["influence"].to_numpy().reshape(n, -1),
        influence_se=values["influence_se"].to_numpy().reshape(n, -1),
        cell_sum=sums["influence_sum"],
        within_sum=sums["within_sum"],
        cell_n=cells["n_targets"].to_numpy().reshape(grid),
    )
