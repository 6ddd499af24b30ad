"""Stage `emergence`: when each declared quantity of a model, or of a subject, sets in."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rare_neurons.catalogue import VERSIONS
from rare_neurons.numerics.influence.resampled import resampled_index
from rare_neurons.numerics.onset.detect import detect_onset
from rare_neurons.numerics.onset.family import control_onsets
from rare_neurons.numerics.onset.rule import Onset, OnsetRule
from rare_neurons.numerics.onset.series import mean_resamples, on_common_steps, usable_runs
from rare_neurons.numerics.panel.resampling import resample_panel, resampled_mean
from rare_neurons.tables import Key, digest_of, file_sha256, from_rows, index_paths, provenance, read_table, write_rows


def write_emergence(
    output: str,
    *,
    timelines: Sequence[str],
    behaviours: Sequence[str],
    folds: Sequence[str],
    subject: str,
    models: Sequence[str],
    panels: Sequence[str],
    options: Mapping[str, object],
) -> None:
    """Apply the declared onset rule to every declared quantity.

    Parameters
    ----------
    output : str
    timelines : sequence of str
        ``{table}/{model}.parquet`` for every table that is asked for and every model.
    behaviours, folds : sequence of str
        ``{panel}/{model}/step{step}.parquet`` of all panels, models and steps, from which contexts are resampled.
    subject : str
        The model, or the group whose seeds are taken together.
    models, panels : sequence of str
        The seeds, and the panels they are evaluated at.
    options : mapping
        Section ``onset`` of the configuration.
    """
    found, about = [], []
    paths = index_paths((*timelines, *behaviours, *folds))
    for panel in panels:
        shards = {table: [_steps_of(paths, table, panel, m) for m in models] for table in ("behaviour", "folds")}
        for name, wanted in options["quantities"].items():
            series = [_series(paths[f"timelines/{wanted['table']}", model], panel, wanted) for model in models]
            found.append(_onset(series, shards, wanted, options))
            place = {"subject": subject, "panel": panel, "declared": len(about) + 1, "quantity": name}
            about.append({**place, **{key: wanted[key] for key in ("table", "column", "stratum")}})
    # All questions asked of the same runs pay for each other.
    found = control_onsets(found, level=options["rule"]["level"])
    rows = [{**where, **asdict(onset)} for where, onset in zip(about, found, strict=True)]
    inputs = {
        "timelines": digest_of([file_sha256(path) for path in timelines]),
        "shards": digest_of([file_sha256(path) for path in (*behaviours, *folds)]),
    }
    metadata = provenance("emergence", VERSIONS["emergence"], dict(options), inputs)
    write_rows("timelines/emergence", from_rows("timelines/emergence", rows), output, metadata)


def _onset(
    series: Sequence[Mapping[int, float]],
    shards: Mapping[str, list[list[str]]],
    wanted: Mapping[str, str],
    options: Mapping[str, object],
) -> Onset:
    rule = OnsetRule(**options["rule"], direction=wanted["direction"])
    usable = usable_runs(series)
    if not usable:
        reason = "no checkpoint has this quantity: all are quarantined, or its column is null"
        return Onset("not_identifiable", False, 0, 0, str(rule), reason=reason)
    shards = {kind: [paths[i] for i in usable] for kind, paths in shards.items()}
    steps, values = on_common_steps([series[i] for i in usable])
    return detect_onset(
        steps,
        values.mean(axis=0),
        rule=rule,
        resamples=_resampled(shards, wanted, steps, n=int(options["n_resamples"]), seed=int(options["seed"])),
        seeds_values=values,
        seed=int(options["seed"]),
    )


def _steps_of(paths: Mapping[Key, str], table: str, panel: str, model: str) -> list[str]:
    """Shards of one table of a model at a panel, all steps."""
    return [path for key, path in paths.items() if key[:3] == (table, panel, model)]


def _series(timeline: str, panel: str, wanted: Mapping[str, str]) -> dict[int, float]:
    """Values by step; a quarantined checkpoint is NaN, which the onset leaves out."""
    table = read_table(timeline)
    for column, value in (("panel", panel), ("stratum", wanted["stratum"])):
        table = table.filter(pc.equal(table[column], value))
    values = table[wanted["column"]].to_pylist()
    held = table["quarantined"].to_pylist()
    return {
        step: float("nan") if bad or value is None else float(value)
        for step, value, bad in zip(table["step"].to_pylist(), values, held, strict=True)
    }


def _resampled(
    shards: Mapping[str, list[list[str]]], wanted: Mapping[str, str], steps: np.ndarray, *, n: int, seed: int
) -> np.ndarray | None:
    """Values recomputed from resampled contexts, [resample, step]; one draw of contexts for all steps and seeds."""
    if wanted["table"] not in _RESAMPLED:
        return None
    kind, function = _RESAMPLED[wanted["table"]]
    runs = []
    for paths in shards[kind]:
        run = {}
        for path in paths:
            table = read_table(path)
            table = table.filter(pc.equal(table["stratum"], wanted["stratum"]))
            if table.num_rows:
                weights = resample_panel(table["fold"].to_numpy(), n_resamples=n, seed=seed)
                run[table["step"][0].as_py()] = function(table, weights, wanted["column"])
        runs.append(run)
    return mean_resamples(runs, steps, n_resamples=n)


def _resampled_behaviour(table: pa.Table, weights: np.ndarray, column: str) -> np.ndarray:
    return resampled_mean(weights, table[column].to_numpy(), table["n_targets"].to_numpy())


def _resampled_inequality(table: pa.Table, weights: np.ndarray, column: str) -> np.ndarray:
    sums = table["influence_sum"].combine_chunks().flatten().to_numpy().reshape(table.num_rows, -1)
    return resampled_index(weights, sums, table["n_targets"].to_numpy(), index=column)


_RESAMPLED = {
    "behaviour": ("behaviour", _resampled_behaviour),
    "inequality": ("folds", _resampled_inequality),
}
