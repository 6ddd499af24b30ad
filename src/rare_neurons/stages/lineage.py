"""Stage `lineage`: which neurons make the top, since when, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rare_neurons.numerics.organisation.lineage import Lineage, half_jaccard, lineage
from rare_neurons.tables import digest_of, file_sha256, provenance, read_table, schema_of, write_table

_PLACE = [("panel", pa.string()), ("model", pa.string()), ("stratum", pa.string())]


@dataclass(frozen=True)
class LineageStep:
    """The top set of one step beside the fixed set of the last good step, and beside chance and noise."""

    step: int
    reference_step: int
    n_top: int
    n_neurons: int
    overlap: int | None
    expected_overlap: float
    overlap_p: float | None
    jaccard: float | None
    jaccard_previous: float | None
    jaccard_halves: float | None
    expected_jaccard: float
    rank_correlation: float | None
    rank_correlation_abs: float | None
    quarantined: bool


@dataclass(frozen=True)
class Member:
    """One neuron of the fixed set: since when it is a member, and how steadily."""

    reference_step: int
    neuron: int
    sign: int
    rank: int
    birth: int
    settled: int
    persistence: float


LINEAGE = schema_of(LineageStep, _PLACE)
MEMBERS = schema_of(Member, _PLACE)


def write_lineage(
    lineage_table: str, members: str, *, influence: Sequence[str], integrity: str, share: float, version: int
) -> None:
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
    version : int
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
    about = provenance("lineage", version, {"share": share}, inputs)
    write_table(pa.Table.from_pylist(steps_rows, schema=LINEAGE), lineage_table, about)
    write_table(pa.Table.from_pylist(member_rows, schema=MEMBERS), members, about)


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
