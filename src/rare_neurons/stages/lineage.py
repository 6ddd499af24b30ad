"""Stage `lineage`: which neurons make the top, since when, for how long, and over how many the change is spread."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rare_neurons.catalogue import VERSIONS
from rare_neurons.numerics.influence.change import change_rows
from rare_neurons.numerics.organisation.lineage import Lineage, half_jaccard, lineage
from rare_neurons.stages.metric import read_shard
from rare_neurons.tables import digest_of_files, file_sha256, from_rows, index_paths, provenance, read_table, write_rows


def write_lineage(
    lineage_table: str,
    members: str,
    changed: str,
    *,
    influence: Sequence[str],
    cells: Sequence[str],
    integrity: str,
    share: float,
) -> None:
    """Follow the most influential neurons of the last good step, and each step's own, through training.

    Parameters
    ----------
    lineage_table, members, changed : str
        Outputs: one row per panel, stratum and step; one per neuron of the fixed set; one per panel and stratum.
    influence, cells : sequence of str
        Shards of all panels and steps of one model.
    integrity : str
    share : float
        Size of the sets as a share of the layer's neurons; at least one neuron.
    """
    held = {row["step"]: row["quarantined"] for row in read_table(integrity, ["step", "quarantined"]).to_pylist()}
    columns = ["panel", "model", "step", "stratum", "neuron", "influence", "influence_a", "influence_b"]
    table = pa.concat_tables([read_table(path, columns) for path in influence])
    steps_rows, member_rows = [], []
    for place in (
        table.select(["panel", "model", "stratum"]).group_by(["panel", "model", "stratum"]).aggregate([]).to_pylist()
    ):
        mine = table
        for column, value in place.items():
            mine = mine.filter(pc.equal(mine[column], value))
        mine = mine.sort_by([("step", "ascending"), ("neuron", "ascending")])
        steps = np.unique(mine["step"].to_numpy())
        bad = np.array([held[int(step)] for step in steps])
        if bad.all():
            continue
        values = {name: mine[name].to_numpy().reshape(len(steps), -1) for name in columns[-3:]}
        top = max(1, round(share * values["influence"].shape[1]))
        found = lineage(steps, np.where(bad[:, None], np.nan, values["influence"]), top)
        ceiling = half_jaccard(values["influence_a"], values["influence_b"], top)
        steps_rows += [{**place, **row} for row in _steps(found, ceiling, bad, values["influence"].shape[1])]
        member_rows += [{**place, **row} for row in _members(found)]
    inputs = {
        "influence": digest_of_files(influence),
        "cells": digest_of_files(cells),
        "integrity": file_sha256(integrity),
    }
    about = provenance("lineage", VERSIONS["lineage"], {"share": share}, inputs)
    changed_rows = _changed(influence, cells, held)
    tables = (("lineage", steps_rows, lineage_table), ("members", member_rows, members))
    for name, rows, output in (*tables, ("changed", changed_rows, changed)):
        write_rows(f"timelines/{name}", from_rows(f"timelines/{name}", rows), output, about)


def _changed(influence: Sequence[str], cells: Sequence[str], held: Mapping[int, bool]) -> list[dict]:
    """Rows of the change between each panel's first and last good step; a panel with fewer than two has none."""
    found = {name: index_paths(paths) for name, paths in (("influence", influence), ("cells", cells))}
    places = sorted((panel, model, step) for _, panel, model, step in found["cells"] if not held[step])
    rows = []
    for panel, model in dict.fromkeys(place[:2] for place in places):
        steps = [place[2] for place in places if place[:2] == (panel, model)]
        if len(steps) < 2:
            continue
        first, last = (
            read_shard(*(found[name][name, panel, model, step] for name in ("influence", "cells")))
            for step in (steps[0], steps[-1])
        )
        changes = change_rows(last, first, step=steps[-1], first_step=steps[0])
        rows += [{"panel": panel, "model": model, **vars(row)} for row in changes]
    return rows


def _steps(found: Lineage, ceiling: np.ndarray, bad: np.ndarray, n_neurons: int) -> list[dict]:
    per_step = ("overlap", "overlap_p", "jaccard", "jaccard_previous", "rank_correlation", "rank_correlation_abs")
    return [
        {
            "step": int(step),
            "reference_step": found.reference_step,
            "n_top": len(found.neurons),
            "n_neurons": n_neurons,
            "expected_overlap": found.expected_overlap,
            "expected_jaccard": found.expected_jaccard,
            "jaccard_halves": None if bad[i] else float(ceiling[i]),
            "quarantined": bool(bad[i]),
            **{name: _finite(getattr(found, name)[i]) for name in per_step},
        }
        for i, step in enumerate(found.steps)
    ]


def _members(found: Lineage) -> list[dict]:
    columns = zip(found.neurons, found.signs, found.birth, found.settled, found.persistence, strict=True)
    return [
        {
            "reference_step": found.reference_step,
            "neuron": int(neuron),
            "sign": int(sign),
            "rank": rank,
            "birth": int(birth),
            "settled": int(settled),
            "persistence": float(persistence),
        }
        for rank, (neuron, sign, birth, settled, persistence) in enumerate(columns, start=1)
    ]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
