"""What checking every byte costs, as a share of reading the largest shards of a results folder: CPU time, one thread.

``python -m benchmarks.checksums RESULTS``. A difference of two readings would be lost in their noise, so the check is
timed by itself, on bytes that were just read as they are in `read_table`, beside the reading without it.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import pyarrow as pa

from rare_neurons.results import load_shards
from rare_neurons.tables import read_table
from rare_neurons.tables.seal import check_whole

KINDS, BLOCKS = 6, 60


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def check(path: Path) -> float:
    data = path.read_bytes()
    start = time.process_time()
    assert check_whole(data), f"{path} has no seal"
    return time.process_time() - start


def shares(read: Callable[[], object], paths: Sequence[Path], blocks: int) -> list[float]:
    """Time of the checks over that of the reading without them, block by block."""
    found = []
    with mock.patch("rare_neurons.tables.files.check_whole", return_value=True):
        for _ in range(blocks):
            reading = seconds(read)
            found.append(sum(map(check, paths)) / reading)
    return found


def row(name: str, paths: Sequence[Path], found: list[float]) -> str:
    low, middle, high = (f"{100 * value:.2f} %" for value in statistics.quantiles(found, n=4))
    return f"| {name} | {sum(path.stat().st_size for path in paths) / 1e6:.2f} | {middle} ({low} to {high}) |"


def main(results: str) -> None:
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    sizes = {path: path.stat().st_size for path in Path(results).rglob("*.parquet")}
    largest = {path.relative_to(results).parts[0]: path for path in sorted(sizes, key=sizes.get)}
    print("| largest of its kind | MB | share of the check, median (quartiles) |")
    print("| --- | --- | --- |")
    for path in sorted(largest.values(), key=sizes.get, reverse=True)[:KINDS]:
        print(row(f"`{path.relative_to(results)}`", [path], shares(lambda path=path: read_table(path), [path], BLOCKS)))
    cells = [path for path in sizes if path.relative_to(results).parts[0] == "cells"]
    found = shares(lambda: load_shards(results, "cells", format="arrow"), cells, 8)
    print(row(f"`load_shards(…, 'cells')`, {len(cells)} files", cells, found))


if __name__ == "__main__":
    main(*sys.argv[1:])
