"""Cost of the tiers of evidence for ten seeds of a model with 154 checkpoints, from synthetic shards.

Run with `python -m benchmarks.evidence [--seeds 10] [--steps 154]`. What rule `evidence` reads does not depend on the
number of neurons: sums over 144 cells per stratum, checkpoint and placebo. Prints CPU seconds, wall seconds and peak
memory of reading, deciding and writing; making the shards is not counted.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from rare_neurons.configuration import complete_config
from rare_neurons.numerics.influence.rows import PER_TARGET
from rare_neurons.stages.evidence import NAMES, write_evidence
from rare_neurons.tables import from_columns, from_rows, table_schema, write_rows
from tools.configuration import SCHEMA, read_yaml

STRATA, D, DRAWS = ("common", "mid", "rare"), 12, 5


def main() -> None:
    """Print one row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--controls", type=int, default=3)
    parser.add_argument("--steps", type=int, default=154)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        root, steps = Path(folder), list(range(given.steps))
        runs, controls = (
            [f"{kind}{k}" for k in range(n)] for kind, n in (("run", given.seeds), ("control", given.controls))
        )
        shards = [path for model in (*runs, *controls) for path in write_model(root, model, steps, late=model in runs)]
        integrity = [write_integrity(root, model, steps) for model in (*runs, *controls)]
        options = complete_config(SCHEMA, read_yaml("config/analysis.yaml"), read_yaml("config/config.yaml"))[
            "evidence"
        ]
        cpu, wall = time.process_time(), time.perf_counter()
        write_evidence(
            {name: str(root / f"{name}.parquet") for name in NAMES},
            shards=shards,
            integrity=integrity,
            subject="s",
            models=runs,
            controls=controls,
            panels=["p"],
            options=options,
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        size = f"{given.seeds} seeds, {given.controls} controls, {given.steps} checkpoints"
        print(f"{size}: {cpu:.0f} CPU s, {wall:.0f} s, {peak:.1f} GB at most")


def write_model(root: Path, model: str, steps: list[int], *, late: bool) -> list[str]:
    """Shards of one model, whose quantities change halfway where it is a run."""
    rng, paths = np.random.default_rng(len(model)), []
    stratum, fold, type_bin = (
        np.repeat(np.array(STRATA), D * D),
        *np.tile(np.indices((D, D)).reshape(2, -1), len(STRATA)),
    )
    for step in steps:
        place = {"panel": "p", "model": model, "step": step}
        level = float(late and step > len(steps) / 2)
        cells = {"stratum": stratum, "fold": fold, "type_bin": type_bin, "n_targets": np.full(len(stratum), 28)}
        values = {name: 5 - level + 0.3 * rng.standard_normal(len(stratum)) for name in PER_TARGET}
        paths.append(_write(root, "behaviour", place, {**cells, **values}))
        many = {name: np.tile(column, DRAWS) for name, column in cells.items()}
        n = len(stratum) * DRAWS
        sums = {name: level + rng.standard_normal(n) for name in ("influence_sum_mean", "within_sum_mean")}
        pairs = {name: level + 0.1 * rng.standard_normal(n) for name in ("influence_pairs", "within_pairs")}
        draw = np.repeat(np.arange(DRAWS), len(stratum))
        paths.append(_write(root, "moments", place, {**many, "draw": draw, **sums, **pairs}))
    return paths


def write_integrity(root: Path, model: str, steps: list[int]) -> str:
    """An integrity table in which all is well."""
    path = root / f"integrity/{model}.parquet"
    blank = {field.name: None if field.nullable else 0 for field in table_schema("integrity")}
    known = {"model": model, "status": "ok", "quarantined": False}
    write_rows("integrity", from_rows("integrity", [{**blank, **known, "step": step} for step in steps]), path, {})
    return str(path)


def _write(root: Path, table: str, place: dict[str, object], columns: dict[str, np.ndarray]) -> str:
    path = root / table / str(place["panel"]) / str(place["model"]) / f"step{place['step']}.parquet"
    write_rows(table, from_columns(table, place, columns), path, {})
    return str(path)


if __name__ == "__main__":
    main()
