"""What Snakemake takes for a plain workflow of as many jobs and files, each job with the fewest inputs that order them.

``python -m benchmarks.dag_floor [--checkpoints 154 1540 7000]`` prints one row per size: a re-run with nothing to do of
four rules for each checkpoint that write 15 files between them, and one rule for each model that needs them all. No
parameters, no logs, no functions, no configuration, Snakemake's own records: what `benchmarks.dag` comes down to if
nothing of this project's were left.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.dag_project import PER_MODEL, Cost, run

TABLES = {"resolve": 1, "spectra": 3, "probe": 6, "metrics": 5}
NEEDS = {"resolve": (), "spectra": ("resolve",), "probe": ("resolve",), "metrics": ("resolve", "probe")}
HEAD = "| checkpoints | re-run | its DAG | memory |"


def snakefile(n_checkpoints: int) -> str:
    """Return the rules."""
    models = [min(PER_MODEL, n_checkpoints - start) for start in range(0, n_checkpoints, PER_MODEL)]
    rules = [
        f"STEPS = {models}\n",
        "rule all:\n    input: [f'r/model/{m}' for m in range(len(STEPS))]\n",
        "rule model:\n    input: lambda w: [f'r/{k}0/{w.m}/{s}' for k in ('metrics', 'spectra') "
        "for s in range(STEPS[int(w.m)])]\n    output: 'r/model/{m}'\n    shell: 'touch {output}'\n",
    ]
    for name, n_tables in TABLES.items():
        needs = ", ".join(f"'r/{other}0/{{m}}/{{s}}'" for other in NEEDS[name])
        outputs = ", ".join(f"'r/{name}{i}/{{m}}/{{s}}'" for i in range(n_tables))
        rules.append(f"rule {name}:\n    input: {needs}\n    output: {outputs}\n    shell: 'touch {{output}}'\n")
    return "\n".join(rules)


def measure(folder: Path, n_checkpoints: int) -> Cost:
    """Make all files and records of the workflow, and run it again."""
    (folder / "Snakefile").write_text(snakefile(n_checkpoints))
    how = ("--cores", "2", "--rerun-triggers", "mtime", "params", "input")
    run(folder, "--cores", "1", "--touch", "--quiet", "all", how="--record")
    again = run(folder, *how)
    if "Nothing to be done" not in again.output:
        raise RuntimeError(f"the re-run found something to do:\n{again.output[-3000:]}")
    return again


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=int, nargs="+", default=[154, 1540, 7000])
    print(HEAD)
    print("| --- " * (HEAD.count("|") - 1) + "|", flush=True)
    for n_checkpoints in parser.parse_args().checkpoints:
        with tempfile.TemporaryDirectory() as name:
            cost = measure(Path(name), n_checkpoints)
        row = (f"{n_checkpoints:,}", f"{cost.wall:.1f} s ({cost.cpu:.1f})", f"{cost.parts['dag']:.1f}")
        print(f"| {' | '.join((*row, f'{cost.peak:.0f} MiB'))} |", flush=True)
