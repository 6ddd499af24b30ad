"""Wall time of measuring checkpoints from a slow server: one after the other, fetching ahead, and two jobs.

Run with `python -m benchmarks.overlap`; serves random checkpoints from the loopback hub of the tests, throttled so
that fetching one takes as long as measuring one, and prints the ratios to strictly serial work.
"""

import argparse
import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.checkpoints.manifest import Manifest
from rare_neurons.checkpoints.retry import Network
from rare_neurons.checkpoints.sources import Source, resolve_steps
from rare_neurons.checkpoints.tensors import iter_tensors

QUIET = Network(progress=False)


@contextlib.contextmanager
def server(root: Path, rate: float) -> Iterator[str]:
    """A throttled hub in a process of its own, so that it takes no turns with the measurement."""
    command = [sys.executable, "-m", "tests.hub.server", str(root), "--bytes-per-second", str(rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def measure(folder: Path, seconds: float) -> None:
    """Keep a core busy with the checkpoint's eigenvalues."""
    end = time.perf_counter() + seconds
    matrices = [array for _, array in iter_tensors(folder)]
    while time.perf_counter() < end:
        np.linalg.eigvalsh(matrices[0][:200, :200])


def work_through(manifests: list[Manifest], cache: Path, budget: int, seconds: float, *, ahead: bool) -> None:
    """Measure checkpoints in order, fetching the next one meanwhile or not."""
    for place, manifest in enumerate(manifests):
        following = manifests[place + 1 : place + 2] if ahead else ()
        with open_weights(manifest, cache_dir=cache, budget_bytes=budget, ahead=following, network=QUIET) as folder:
            measure(folder, seconds)


def timed(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compare(manifests: list[Manifest], root: Path, seconds: float, repeat: int) -> dict[str, float]:
    """Wall time of each way, each with an empty cache that holds three checkpoints."""
    budget = 3 * manifests[0].size
    places = (root / f"cache-{repeat}-{way}" for way in range(3))
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(time.sleep, [0.2, 0.2]))  # workers started and warm
        serial = timed(lambda: work_through(manifests, next(places), budget, seconds, ahead=False))
        ahead = timed(lambda: work_through(manifests, next(places), budget, seconds, ahead=True))
        cache = next(places)

        def two_jobs() -> None:
            jobs = [pool.submit(work_through, [m], cache, budget, seconds, ahead=False) for m in manifests]
            for job in jobs:
                job.result()

        return {"serial": serial, "fetching ahead": ahead, "two jobs at a time": timed(two_jobs)}


def main(n_checkpoints: int, megabytes: float, seconds: float, repeats: int) -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    steps = list(range(n_checkpoints))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for step in steps:
            folder = root / "served" / "lab" / "run" / f"step{step}"
            folder.mkdir(parents=True)
            shape = (int(megabytes * 1e6 / 4 / 500), 500)
            save_file({"w": rng.standard_normal(shape, dtype=np.float32)}, folder / "model.safetensors")
            (folder / "config.json").write_text("{}")
        with server(root / "served", megabytes * 1e6 / seconds) as url:
            manifests = list(resolve_steps("m", steps, Source("hub", "lab/run", endpoint=url)))
            with contextlib.redirect_stderr(io.StringIO()):
                found = [compare(manifests, root, seconds, repeat) for repeat in range(repeats)]
    print(f"{n_checkpoints} checkpoints of {megabytes:g} MB, {seconds:g} s to fetch, {seconds:g} s to measure\n")
    print("| way | wall time, median of runs | saved against serial (range) |\n| --- | --- | --- |")
    for way in found[0]:
        saved = [1 - result[way] / result["serial"] for result in found]
        wall = statistics.median(result[way] for result in found)
        print(f"| {way} | {wall:.1f} s | {statistics.median(saved):.0%} ({min(saved):.0%} to {max(saved):.0%}) |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=int, default=8)
    parser.add_argument("--megabytes", type=float, default=8.0)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    main(arguments.checkpoints, arguments.megabytes, arguments.seconds, arguments.repeats)
