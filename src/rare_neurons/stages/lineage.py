"""Stage `lineage`: which neurons make the top, since when, and for how long."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rare_neurons.catalogue import VERSIONS
from rare_neurons.numerics.organisation.lineage import Lineage, half_jaccard, lineage
from rare_neurons.tables import digest_of, file_sha256, from_rows, provenance, read_table, write_rows


def write_lineage(lineage_table: str, members: str, *, influence: Sequence[str], integrity: str, share: float) -> None:
    """Follow the most influential neurons of the last good step, and each step's own, through training.

    Parameters
    ----------
    lineage_table, members : str
        Outputs: one row per panel, stratum and step; one row per neuron of the fixed set.
    influence : sequence of str
        Influence shards of all panels and steps of one model.
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
    inputs = {"influence": digest_of([file_sha256(path) for path in influence]), "integrity": file_sha256(integrity)}
    about = provenance("lineage", VERSIONS["lineage"], {"share": share}, inputs)
    for name, rows, output in (("lineage", steps_rows, lineage_table), ("members", member_rows, members)):
        write_rows(f"timelines/{name}", from_rows(f"timelines/{name}", rows), output, about)


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
