"""Stage `timelines`: every quantity of a model over its steps, with tokens seen, loss and each checkpoint's status."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pyarrow as pa

from rare_neurons.catalogue import VERSIONS
from rare_neurons.numerics.allocation.summary import summarise_allocation
from rare_neurons.numerics.influence.moments import summarise_moments
from rare_neurons.numerics.influence.rows import PER_TARGET
from rare_neurons.numerics.influence.summary import summarise_influence
from rare_neurons.numerics.kinds.summary import summarise_kinds
from rare_neurons.numerics.panel.means import StratumMeans, mean_over_strata, merge_cells
from rare_neurons.stages.cell_tables import MOMENTS, moment_statistics
from rare_neurons.tables import digest_of_files, file_sha256, from_rows, provenance, read_table, write_rows

_PLACE = ("panel", "model", "step")

CHANGES = ("alpha", "stable_rank", "log_spectral_norm")
"""Columns of the spectra's timeline that also come as a change since step 0."""


def write_timelines(
    outputs: Mapping[str, str],
    *,
    shards: Mapping[str, Sequence[str]],
    integrity: str,
    tokens_per_step: int | None,
) -> None:
    """Join the shards of all steps, one timeline for each quantity.

    Parameters
    ----------
    outputs : mapping of str to str
        Paths by quantity.
    shards : mapping of str to sequence of str
        Each quantity's shards, all panels and steps, those of ``behaviour`` among them (where influence is
        measured): they give the loss.
    integrity : str
        Integrity table of the model.
    tokens_per_step : int or None
        Training tokens per step, for `tokens_seen`.
    """
    behaviours = shards.get("behaviour", ())
    loss = _losses(behaviours)
    verdicts = {row["step"]: row for row in read_table(integrity, ["step", "status", "quarantined"]).to_pylist()}
    beside = {"behaviours": digest_of_files(behaviours), "integrity": file_sha256(integrity)}
    for quantity, output in outputs.items():
        rows = [row for path in shards[quantity] for row in _SUMMARIES.get(quantity, _rows)(path)]
        for row in rows:
            step, panel, stratum = row["step"], row.get("panel"), row.get("stratum")
            row |= {
                "tokens_seen": None if tokens_per_step is None else step * tokens_per_step,
                "loss": loss.get((step, panel, stratum)),
                "checkpoint_status": verdicts[step]["status"],
                "quarantined": verdicts[step]["quarantined"],
            }
        if quantity == "spectra":
            _add_changes(rows)
        params = {"quantity": quantity, "tokens_per_step": tokens_per_step}
        inputs = {"shards": digest_of_files(shards[quantity]), **beside}
        about = provenance("timelines", VERSIONS["timelines"], params, inputs)
        write_rows(f"timelines/{quantity}", from_rows(f"timelines/{quantity}", rows), output, about)


def _add_changes(rows: list[dict]) -> None:
    """Add the change since step 0 of each matrix; None where step 0 is missing or quarantined."""
    start = {(r["layer"], r["matrix"]): r for r in rows if r["step"] == 0 and not r["quarantined"]}
    for row in rows:
        then = start.get((row["layer"], row["matrix"]), {})
        for name in CHANGES:
            known = row[name] is not None and then.get(name) is not None
            row[f"{name}_change"] = row[name] - then[name] if known else None


def _rows(path: str) -> list[dict]:
    return read_table(path).to_pylist()


def summarise_behaviour(path: str) -> list[dict]:
    """Merge the folds of a behaviour shard: one row per stratum."""
    table = read_table(path)
    place = {key: table[key][0].as_py() for key in _PLACE} if table.num_rows else {}
    return [{**place, "stratum": m.stratum, "n_targets": m.n_targets, **m.means} for m in _merged(table)]


def _merged(behaviour: pa.Table) -> list[StratumMeans]:
    values = {name: behaviour[name].to_numpy() for name in PER_TARGET}
    return merge_cells(behaviour["stratum"].to_pylist(), behaviour["n_targets"].to_numpy(), values)


def _summarise_influence(path: str) -> list[dict]:
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
        place = {key: table[key][0].as_py() for key in _PLACE}
        summary = summarise_influence(**{k: v[mine] for k, v in columns.items()}, bound=bound[mine])
        rows.append({**place, "stratum": name, **asdict(summary)})
    return rows


def _summarise_moments(path: str) -> list[dict]:
    table = read_table(path)
    place = {key: table[key][0].as_py() for key in _PLACE} if table.num_rows else {}
    strata = list(dict.fromkeys(table["stratum"].to_pylist()))
    found = moment_statistics(table, [(s, name) for s in strata for name in MOMENTS])
    summaries = {s: summarise_moments({name: found[s, name] for name in MOMENTS}) for s in strata}
    return [{**place, "stratum": s, **asdict(summary)} for s, summary in summaries.items()]


def _summarise_allocation(path: str) -> list[dict]:
    rows = _rows(path)
    place = {key: rows[0][key] for key in (*_PLACE, "step_before")} if rows else {}
    return [{**place, **asdict(summary)} for summary in summarise_allocation(rows)]


def _summarise_kinds(path: str) -> list[dict]:
    rows = _rows(path)
    place = {key: rows[0][key] for key in _PLACE} if rows else {}
    return [{**place, **asdict(summary)} for summary in summarise_kinds(rows)]


_SUMMARIES: dict[str, Callable[[str], list[dict]]] = {
    "allocation": _summarise_allocation,
    "behaviour": summarise_behaviour,
    "influence": _summarise_influence,
    "kinds": _summarise_kinds,
    "moments": _summarise_moments,
}


def _losses(behaviours: Sequence[str]) -> dict[tuple[int, str | None, str | None], float]:
    """Loss by (step, panel, stratum); without a stratum the mean over strata, without a panel that of the first."""
    found: dict[tuple[int, str | None, str | None], float] = {}
    for path in behaviours:
        table = read_table(path)
        if table.num_rows:
            step, panel, merged = table["step"][0].as_py(), table["panel"][0].as_py(), _merged(table)
            found |= {(step, panel, one.stratum): one.means["loss"] for one in merged}
            found[step, panel, None] = mean_over_strata(merged, "loss")
            found.setdefault((step, None, None), found[step, panel, None])
    return found
