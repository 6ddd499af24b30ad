"""Stage `timelines`: one quantity of a model over its steps, with tokens seen, loss and each checkpoint's status."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np
import pyarrow as pa

from rare_neurons.numerics.influence.summary import InfluenceSummary, summarise_influence
from rare_neurons.numerics.panel.means import StratumMeans, mean_over_strata, merge_folds
from rare_neurons.schemas import BEHAVIOUR_VALUES
from rare_neurons.tables import digest_of, file_sha256, provenance, read_table, schema_of, write_table

_PLACE = [("panel", pa.string()), ("model", pa.string()), ("step", pa.int64())]
INFLUENCE_SUMMARY = schema_of(InfluenceSummary, [*_PLACE, ("stratum", pa.string())])
_JOINED = [
    ("tokens_seen", pa.int64()),
    ("loss", pa.float64()),
    ("checkpoint_status", pa.string()),
    ("quarantined", pa.bool_()),
]

CHANGES = ("alpha", "stable_rank", "log_spectral_norm")
"""Columns of the spectra's timeline that also come as a change since step 0."""


def write_timeline(
    output: str,
    *,
    shards: Sequence[str],
    behaviours: Sequence[str],
    integrity: str,
    quantity: str,
    tokens_per_step: int | None,
    version: int,
) -> None:
    """Join the shards of all steps.

    Parameters
    ----------
    output : str
    shards : sequence of str
        The quantity's shards, all panels and steps.
    behaviours : sequence of str
        Behaviour shards of the same model, which give the loss.
    integrity : str
        Integrity table of the model.
    quantity : str
    tokens_per_step : int or None
        Training tokens per step, for `tokens_seen`.
    version : int
    """
    table = pa.concat_tables([_SUMMARIES.get(quantity, read_table)(path) for path in shards])
    loss = _losses(behaviours)
    verdicts = {row["step"]: row for row in read_table(integrity, ["step", "status", "quarantined"]).to_pylist()}
    rows = table.to_pylist()
    joined = {
        "tokens_seen": [None if tokens_per_step is None else r["step"] * tokens_per_step for r in rows],
        "loss": [loss.get((r["step"], r.get("panel"), r.get("stratum"))) for r in rows],
        "checkpoint_status": [verdicts[r["step"]]["status"] for r in rows],
        "quarantined": [verdicts[r["step"]]["quarantined"] for r in rows],
    }
    for name, kind in _JOINED:
        if name in table.schema.names:  # behaviour has a loss of its own
            continue
        table = table.append_column(pa.field(name, kind), pa.array(joined[name], kind))
    if quantity == "spectra":
        table = _with_changes(table)
    inputs = {
        "shards": digest_of([file_sha256(path) for path in shards]),
        "behaviours": digest_of([file_sha256(path) for path in behaviours]),
        "integrity": file_sha256(integrity),
    }
    about = provenance("timelines", version, {"quantity": quantity, "tokens_per_step": tokens_per_step}, inputs)
    write_table(table, output, about)


def _with_changes(table: pa.Table) -> pa.Table:
    """Append the change since step 0 of each matrix; null where step 0 is missing or quarantined."""
    rows = table.to_pylist()
    start = {(r["layer"], r["matrix"]): r for r in rows if r["step"] == 0 and not r["quarantined"]}
    for name in CHANGES:
        pairs = [(row[name], start.get((row["layer"], row["matrix"]), {}).get(name)) for row in rows]
        changes = [None if now is None or then is None else now - then for now, then in pairs]
        table = table.append_column(pa.field(f"{name}_change", pa.float64()), pa.array(changes, pa.float64()))
    return table


def summarise_behaviour(path: str) -> pa.Table:
    """Merge the folds of a behaviour shard: one row per stratum."""
    table = read_table(path)
    place = {key: table[key][0].as_py() for key, _ in _PLACE} if table.num_rows else {}
    rows = [{**place, "stratum": m.stratum, "n_targets": m.n_targets, **m.means} for m in _merged(table)]
    kinds = [
        *_PLACE,
        ("stratum", pa.string()),
        ("n_targets", pa.int64()),
        *((v, pa.float64()) for v in BEHAVIOUR_VALUES),
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema(kinds))


def _merged(behaviour: pa.Table) -> list[StratumMeans]:
    values = {name: behaviour[name].to_numpy() for name in BEHAVIOUR_VALUES}
    return merge_folds(behaviour["stratum"].to_pylist(), behaviour["n_targets"].to_numpy(), values)


def _summarise_influence(path: str) -> pa.Table:
    table = read_table(path)
    stratum = np.asarray(table["stratum"].to_pylist())
    columns = {
        name: table[name].to_numpy()
        for name in ("influence", "influence_se", "abs_influence", "influence_within", "exact_fraction")
    }
    bound = table["truncation_bound"].to_numpy() + table["rounding_bound"].to_numpy()
    rows = []
    for name in dict.fromkeys(stratum.tolist()):
        mine = stratum == name
        place = {key: table[key][0].as_py() for key, _ in _PLACE}
        summary = summarise_influence(**{k: v[mine] for k, v in columns.items()}, bound=bound[mine])
        rows.append({**place, "stratum": name, **asdict(summary)})
    return pa.Table.from_pylist(rows, schema=INFLUENCE_SUMMARY)


_SUMMARIES: dict[str, Callable[[str], pa.Table]] = {
    "behaviour": summarise_behaviour,
    "influence": _summarise_influence,
}


def _losses(behaviours: Sequence[str]) -> dict[tuple[int, str | None, str | None], float]:
    """Loss by (step, panel, stratum); under (step, None, None) the mean over strata of the first panel."""
    found: dict[tuple[int, str | None, str | None], float] = {}
    for path in behaviours:
        table = read_table(path)
        if table.num_rows:
            step, panel, merged = table["step"][0].as_py(), table["panel"][0].as_py(), _merged(table)
            found |= {(step, panel, one.stratum): one.means["loss"] for one in merged}
            found.setdefault((step, None, None), mean_over_strata(merged, "loss"))
    return found
