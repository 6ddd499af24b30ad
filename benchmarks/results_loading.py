"""Loading one model's whole influence timeline, against CSV in the same run: wall and CPU seconds.

``python -m benchmarks.results_loading`` writes 154 shards of 4,096 neurons x 3 strata with the columns of the influence
table (random values) as the pipeline does, the same table as one CSV file, and reads both, everything and a selection,
then once more from the one file that `rare-neurons compact` makes of the shards.
The files are in the page cache, for both.
"""

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from rare_neurons import load_influence
from rare_neurons.checkpoints.schedules import steps_of
from rare_neurons.compact import compact_shards
from rare_neurons.tables import table_schema, write_rows

INFLUENCE = table_schema("influence")
STRATA = ("common", "mid", "rare")
MODEL = "pythia-410m"
WANTED = ["step", "neuron", "influence", "influence_se"]


def shard(step: int, n_neurons: int, rng: np.random.Generator) -> pa.Table:
    """One checkpoint's table: values as they are spread in practice, so that they compress as little."""
    n = n_neurons * len(STRATA)
    columns = {
        "panel": pa.repeat("c4-heldout", n),
        "model": pa.repeat(MODEL, n),
        "step": np.full(n, step),
        "neuron": np.tile(np.arange(n_neurons), len(STRATA)),
        "stratum": np.repeat(STRATA, n_neurons),
        "n_targets": np.full(n, 8000),
        "n_types": np.repeat([1500, 2500, 4000], n_neurons),
    }
    left = [name for name in INFLUENCE.names if name not in columns]
    columns |= {name: 1e-4 * rng.standard_t(3, n) for name in left}
    return pa.table(columns, schema=INFLUENCE)


def write_results(results: Path, n_neurons: int) -> Path:
    """Write the shards and, beside them, the same rows as CSV."""
    rng = np.random.default_rng(0)
    path = results / "influence.csv"
    results.mkdir(parents=True, exist_ok=True)
    with pa_csv.CSVWriter(path, INFLUENCE) as whole:
        for step in steps_of("pythia-all"):
            table = shard(step, n_neurons, rng)
            write_rows("influence", table, results / f"influence/c4-heldout/{MODEL}/step{step}.parquet", {})
            whole.write_table(table)
    return path


def measure(read: Callable[[], object], repeats: int) -> tuple[list[float], list[float], object]:
    """Wall and CPU seconds of each repeat, and what was read last."""
    walls, cpus, found = [], [], None
    for _ in range(repeats):
        found = None
        wall, cpu = time.perf_counter(), time.process_time()
        found = read()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return walls, cpus, found


def read_csv(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read with Arrow's own CSV reader, types given."""
    types = pa_csv.ConvertOptions(column_types=INFLUENCE, include_columns=columns)
    return pa_csv.read_csv(path, convert_options=types)


def read_rows(path: Path) -> list[list[str]]:
    """Read with the standard library: text, not yet numbers."""
    with path.open(newline="") as file:
        return list(csv.reader(file))


def main(n_neurons: int, repeats: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        results = Path(name)
        path = write_results(results, n_neurons)
        size = sum(p.stat().st_size for p in results.rglob("*.parquet"))
        print(f"pyarrow {version('pyarrow')}; Parquet {size / 1e6:.0f} MB, CSV {path.stat().st_size / 1e6:.0f} MB\n")
        rare = {"stratum": "rare", "columns": WANTED, "format": "arrow"}
        shards = {
            "`load_influence`, everything": (lambda: load_influence(results, format="arrow"), repeats),
            f"`load_influence`, {len(WANTED)} columns": (
                lambda: load_influence(results, columns=WANTED, format="arrow"),
                repeats,
            ),
            f"`load_influence`, {len(WANTED)} columns of the rare stratum": (
                lambda: load_influence(results, **rare),
                repeats,
            ),
            "`load_influence`, everything, as a data frame": (lambda: load_influence(results), repeats),
        }
        # Once it has been made, loaders take the one file.
        compacted = {f"{way}, compacted": how for way, how in shards.items()}
        ways = {
            **shards,
            "`compact_shards`": (lambda: compact_shards(results), 1),
            **compacted,
            "CSV, `pyarrow.csv`, everything": (lambda: read_csv(path), repeats),
            f"CSV, `pyarrow.csv`, {len(WANTED)} columns": (lambda: read_csv(path, WANTED), repeats),
            "CSV, `csv.reader`, everything, as text": (lambda: read_rows(path), 1),
        }
        print("| | rows | wall, median (range) | CPU, median |\n| --- | --- | --- | --- |")
        for way, (read, times) in ways.items():
            walls, cpus, found = measure(read, times)
            wall = f"{statistics.median(walls):.2f} s ({min(walls):.2f}-{max(walls):.2f})"
            print(f"| {way} | {len(found):,} | {wall} | {statistics.median(cpus):.2f} s |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", type=int, default=4096)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    main(arguments.neurons, arguments.repeats)
