"""The hand-made tree of the figures with what the replication reads beyond it, and a second control."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.tables import write_table
from tests.figures.tree import CONTROL, HELD, MODELS, N_NEURONS, RUNS, STEPS, STRATA, SUBJECT, effect, write, write_tree

CONTROLS = (CONTROL, "shuffled-b")
"""The second is a copy of the first."""
CELL_N = 2
TYPE_NOISE = 0.1
"""Of the sum of a cell, relative, shared by all cells of a type bin."""
_SPREAD = {"gini_noise": 0.3, "effective_number": 20.0, "effective_number_low": 15.0, "effective_number_high": 30.0}
_SETS = {"placebo_excess_p": 0.04, "claim_p": 0.2}
SERVES, LOSS = "within-stratum influence on rare tokens", "loss on rare tokens"


def write_replicated(folder: Path, panels: Sequence[str]) -> Path:
    """Write what the replication reads."""
    write_tree(folder, panels=panels)
    for panel in panels:
        sizes = {"n_targets": 144 * CELL_N, "n_documents_effective": 40.4, "n_types_effective": 33.0}
        write(folder, f"panel/{panel}/strata.parquet", [{"stratum": s, **sizes} for s in (*STRATA, "top")])
        for model in MODELS:
            for step in STEPS:
                place = {"panel": panel, "model": model, "step": step}
                rows = [{**place, **row} for stratum in STRATA for row in _cells(model, step, stratum)]
                write(folder, f"cells/{panel}/{model}/step{step}.parquet", rows)
    for model in MODELS:
        _widen(folder / f"timelines/inequality/{model}.parquet", _SPREAD)
        _widen(folder / f"timelines/set_spectra/{model}.parquet", _SETS)
    for path in sorted(folder.rglob("*.parquet")):
        parts = path.relative_to(folder).parts
        if CONTROL in parts or path.stem == CONTROL:
            other = Path(*(part.replace(CONTROL, CONTROLS[1]) for part in parts))
            write_table(_labelled(pq.read_table(path), "model", CONTROLS[1]), folder / other, {})
    evidence = [row for panel in panels for row in evidence_rows(panel)]
    write(folder, f"timelines/evidence/{SUBJECT}.parquet", evidence)
    return folder


def _cells(model: str, step: int, stratum: str) -> list[dict[str, object]]:
    values = effect(model, step, stratum)
    shared = 1 + TYPE_NOISE * np.random.default_rng([step, STRATA.index(stratum)]).standard_normal((N_FOLDS, N_NEURONS))
    return [
        {
            "stratum": stratum,
            "fold": fold,
            "type_bin": type_bin,
            "n_targets": CELL_N,
            "influence_sum": (CELL_N * values * shared[type_bin]).tolist(),
        }
        for fold in range(N_FOLDS)
        for type_bin in range(N_FOLDS)
    ]


def _widen(path: Path, columns: Mapping[str, float]) -> None:
    table = pq.read_table(path)
    for name, value in columns.items():
        table = table.append_column(name, pa.array([value] * table.num_rows))
    write_table(table, path, {})


def _labelled(table: pa.Table, column: str, value: str) -> pa.Table:
    place = table.schema.get_field_index(column)
    return table.set_column(place, column, pa.array([value] * table.num_rows))


def evidence_rows(panel: str) -> list[dict[str, object]]:
    """One question that reaches the controls, and one that was not found in most runs."""
    serves = {"table": "moments", "column": "mean_influence_within", "question": SERVES, "declared": 1}
    loss = {"table": "behaviour", "column": "loss", "question": LOSS, "declared": 2}
    common = {"panel": panel, "subject": SUBJECT, "stratum": "rare", "scale": "linear", "reason": None}
    change = {"estimate": 0.0002, "low": 0.00015, "high": 0.00025}
    found = []
    for about, held, reached in ((serves, (True, True), "beyond_control"), (loss, (False, True), None)):
        place = {**common, **about, **change, "reached": reached}
        for role, models, holds in (("run", RUNS, held), ("control", CONTROLS, (False, True))):
            found += [
                {**place, "run": m, "role": role, "tier": "run", "holds": h, "p_adjusted": 0.01 if h else 0.5}
                for m, h in zip(models, holds, strict=True)
            ]
        whole = {**place, "run": SUBJECT, "role": "all"}
        found.append({**whole, "tier": "seeds", "holds": reached is not None, "p_adjusted": 0.004})
        if about is serves:
            found.append({**whole, "tier": "beyond_control", "holds": True, "p_adjusted": 0.02})
            found.append({**whole, "tier": "specific", "holds": False, "p_adjusted": 0.3})
        else:
            logs = {name: float(np.log(2 + k)) for k, name in enumerate(change)}
            found[-1] |= {"scale": "log", **logs}
    return found


__all__ = ["CONTROLS", "HELD", "N_NEURONS", "RUNS", "STEPS", "SUBJECT", "effect", "write", "write_replicated"]
