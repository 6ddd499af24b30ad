"""Snakemake's own time and memory on sweeps of 154, 1,540 and 7,000 checkpoints, and the start of one cluster job.

``python -m benchmarks.dag [--checkpoints 154 1540 7000] [--each 1]`` prints Markdown, one row per size as soon as it is
measured; `each` checkpoints of a model are a job. All outputs of a sweep exist and have a provenance record that
Snakemake wrote (see `benchmarks.snakemake_inside`); the cluster job is the command line of the SLURM profile, both
Snakemakes of it, without SLURM's own waiting.
"""

import argparse
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from benchmarks.dag_project import ROOT, Cost, finish_sweep, make_sweep, run, start_job

HEAD = (
    "| checkpoints | jobs | parse | dry run | its DAG | re-run | its DAG | memory, both | inodes each "
    "| first line of a job | imported |"
)
MADE = ("results", ".snakemake/metadata", ".snakemake/metadata.db")
JOBS = re.compile(r"^total\s+(\d+)", re.MULTILINE)


def measure(folder: Path, n_checkpoints: int, records: str, each: int) -> str:
    """Measure one sweep in a folder of its own and return its row."""
    backend = ("--persistence-backend", records)
    make_sweep(folder, n_checkpoints, each)
    parse = run(folder, "--list")
    dry = run(folder, "--dry-run", "--quiet", "all")
    finish_sweep(folder, *backend)
    again = run(folder, "--cores", "2", *backend)
    if "Nothing to be done" not in again.output:
        raise RuntimeError(f"the re-run found something to do:\n{again.output[-3000:]}")
    inodes = n_inodes([folder / top for top in MADE])
    job = start_job(folder) if each == 1 else None
    cells = [
        f"{n_checkpoints:,}",
        f"{int(JOBS.search(dry.output)[1]):,}",
        both(parse),
        both(dry),
        f"{dry.parts['dag']:.1f}",
        both(again),
        f"{again.parts['dag']:.1f}",
        f"{dry.peak:.0f}, {again.peak:.0f} MiB",
        f"{inodes / n_checkpoints:.1f}",
        *(f"{job[when]:.1f} s ({job[f'cpu at {when}']:.1f})" if job else "" for when in ("first line", "imported")),
    ]
    return f"| {' | '.join(cells)} |"


def n_inodes(folders: list[Path]) -> int:
    """Count files and folders below some folders, each once whatever names it has."""
    trees = (tree for top in folders for tree in os.walk(top))
    found = {os.lstat(Path(at, name)).st_ino for at, below, files in trees for name in (*below, *files)}
    return len(found)


def both(cost: Cost) -> str:
    """Wall seconds, and CPU seconds in brackets."""
    return f"{cost.wall:.1f} s ({cost.cpu:.1f})"


def dry_run_of_pythia(folder: Path) -> str:
    """The 462 manifests of config/pythia.yaml, in a copy without results."""
    make_sweep(folder, 1)
    shutil.copy(ROOT / "config/pythia.yaml", folder / "config/config.yaml")
    steps = [0, *(2**k for k in range(10)), *range(1000, 144000, 1000)]
    manifests = [f"results/manifest/pythia-{m}-deduped/step{s}.json" for m in ("70m", "160m", "410m") for s in steps]
    whole = run(folder, "--dry-run", "--quiet", "all")
    return f"{both(run(folder, '--dry-run', '--quiet', 'all', '--', *manifests))}; of everything {both(whole)}"


@contextmanager
def scratch(kept: Path | None, name: str) -> Iterator[Path]:
    """An empty folder, removed afterwards unless it is to be kept."""
    if kept is not None:
        shutil.rmtree(kept / name, ignore_errors=True)
        (kept / name).mkdir(parents=True)
        yield kept / name
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def main(sizes: list[int], kept: Path | None, records: str, each: int) -> None:
    """Print the tables."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("snakemake", "snakemake-executor-plugin-slurm"))
    load = os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {packages}; {os.cpu_count()} cores, load {load:.1f} at the start.")
    print("Wall seconds, CPU seconds in brackets; DAG in CPU seconds.\n")
    with scratch(kept, "pythia") as folder:
        print(f"Dry run of the 462 manifests of config/pythia.yaml: {dry_run_of_pythia(folder)}.\n", flush=True)
    print(HEAD)
    print("| --- " * (HEAD.count("|") - 1) + "|", flush=True)
    for n_checkpoints in sizes:
        with scratch(kept, f"sweep{n_checkpoints}") as folder:
            print(measure(folder, n_checkpoints, records, each), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=int, nargs="+", default=[154, 1540, 7000])
    parser.add_argument("--keep", type=Path, help="folder to keep the sweeps in, to look at them afterwards")
    parser.add_argument("--records", choices=["file", "db"], default="file", help="where Snakemake keeps its records")
    parser.add_argument("--each", type=int, default=1, help="checkpoints of a model that one job measures")
    arguments = parser.parse_args()
    main(arguments.checkpoints, arguments.keep, arguments.records, arguments.each)
