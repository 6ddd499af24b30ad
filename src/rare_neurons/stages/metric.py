"""Stage of every metric: a checkpoint's influence in, the metric's tables out."""

from collections.abc import Mapping

import numpy as np

from rare_neurons.catalogue import METRICS, load
from rare_neurons.numerics.influence.shard import InfluenceShard
from rare_neurons.numerics.panel.folds import half_of_fold
from rare_neurons.stages.null_tables import read_null_tables
from rare_neurons.tables import file_sha256, from_rows, provenance, read_metadata, read_table, write_rows

_PLACE = ("panel", "model", "step")


def write_metric(
    outputs: Mapping[str, str],
    *,
    influence: str,
    folds: str,
    metric: str,
    options: Mapping[str, object],
    null_tables: str | None = None,
) -> None:
    """Compute one metric of one checkpoint; a bad checkpoint's empty shard gives empty tables.

    Parameters
    ----------
    outputs : mapping
        A path for each of the metric's tables.
    influence, folds : str
        Inputs.
    metric : str
        Name of its rule in the catalogue.
    options : mapping
        Keyword arguments of its function.
    null_tables : str, optional
        Input of metrics that test regimes.
    """
    (rule,) = (m for m in METRICS if m.name == metric)
    about = read_metadata(influence)
    strata, place = _strata_and_place(influence)
    nulls = {"null_tables": read_null_tables(null_tables) if null_tables else ()} if rule.null_tables else {}
    rows = load(rule.metric)(read_shard(influence, folds), **nulls, **options) if strata else {}
    paths = {"influence": influence, "folds": folds, "null_tables": null_tables}
    inputs = {name: file_sha256(path) for name, path in paths.items() if path}
    kept = {key: about[key] for key in ("commit", "weights_sha256", "dtype", "status", "reason")}
    metadata = provenance(metric, rule.version, options, inputs, **kept)
    for table in rule.tables:
        write_rows(table.name, from_rows(table.name, rows.get(table.name, []), place), outputs[table.name], metadata)


def read_shard(influence: str, folds: str, *, column: str = "influence_sum") -> InfluenceShard:
    """Read the probe's tables of one good checkpoint as arrays, with one of the folds' sums."""
    strata, _ = _strata_and_place(influence)
    values = read_table(influence, ["influence", "influence_se"])
    table = read_table(folds, ["fold", "n_targets", column])
    n = len(strata)
    fold = table["fold"].to_numpy().reshape(n, -1)
    flat = table[column].combine_chunks().flatten().to_numpy()
    return InfluenceShard(
        strata=strata,
        influence=values["influence"].to_numpy().reshape(n, -1),
        influence_se=values["influence_se"].to_numpy().reshape(n, -1),
        fold_sum=flat.astype(np.float64).reshape(n, fold.shape[1], -1),
        fold_n=table["n_targets"].to_numpy().reshape(n, -1),
        half_of_fold=half_of_fold(fold[0]),
    )


def _strata_and_place(influence: str) -> tuple[tuple[str, ...], dict[str, object]]:
    table = read_table(influence, ["stratum", *_PLACE])
    if table.num_rows == 0:
        return (), {}
    strata = tuple(dict.fromkeys(table["stratum"].to_pylist()))
    return strata, {name: table[name][0].as_py() for name in _PLACE}
