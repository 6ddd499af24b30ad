"""Series in which nothing is to be found beyond tier `run`, or nothing at all: what each tier says of them.

Run with `python -m benchmarks.planted.nulls RESULTS OUT [--orders 20]`, RESULTS a finished default demo, OUT a folder
for what is trained and measured more. Prints Markdown tables for

- the trained runs and controls, every one with its checkpoints in an order of its own, drawn anew for each of 20 orders
  (from the demo's tables: this costs the rule `evidence` alone);
- three initialisations with fresh noise of the weights at every checkpoint;
- three networks on shuffled text as a subject: the demo's two, and one more.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.calibration.evidence_world import table
from benchmarks.planted.run import ROOT, STEPS, World
from rare_neurons.configuration import complete_config
from rare_neurons.numerics.evidence.tiers import TIERS
from rare_neurons.stages.evidence import NAMES, write_evidence
from rare_neurons.tables import read_table
from tools.configuration import SCHEMA, read_yaml

PANEL, TABLES = "heldout", ("behaviour", "moments")


def shards_of(results: Path, models: list[str]) -> list[str]:
    """Tables that evidence reads, of all checkpoints of some models."""
    return [str(p) for name in TABLES for m in models for p in sorted((results / name / PANEL / m).glob("*.parquet"))]


def judge(shards: list[str], models: list[str], controls: list[str], options: dict) -> list[dict]:
    """Rows of table `evidence` where the models are the runs of a subject."""
    with TemporaryDirectory() as folder:
        outputs = {name: f"{folder}/{name}.parquet" for name in NAMES}
        write_evidence(
            outputs,
            shards=shards,
            integrity=[],
            subject="null",
            models=models,
            controls=controls,
            panels=[PANEL],
            options=options,
        )
        return read_table(outputs["evidence"]).to_pylist()


def permute(results: Path, out: Path, models: list[str], rng: np.random.Generator) -> None:
    """Name every model's tables after other steps of its own, the same in both tables."""
    for model in models:
        steps = sorted(int(path.stem.removeprefix("step")) for path in (results / TABLES[0] / PANEL / model).iterdir())
        order = rng.permutation(steps)
        for name in TABLES:
            folder = out / name / PANEL / model
            folder.mkdir(parents=True)
            for step, other in zip(steps, order, strict=True):
                source = results / name / PANEL / model / f"step{other}.parquet"
                (folder / f"step{step}.parquet").symlink_to(source.resolve())


def permuted(results: Path, orders: int, models: list[str], controls: list[str], options: dict) -> None:
    """Print how often each question reaches each tier over random orders, and every reach beyond `run`."""
    count: Counter[tuple[str, str | None]] = Counter()
    beyond, p_of_seeds = [], {}
    for order in range(orders):
        with TemporaryDirectory() as folder:
            permute(results, Path(folder), [*models, *controls], np.random.default_rng(order))
            rows = judge(shards_of(Path(folder), [*models, *controls]), models, controls, options)
        for row in rows:
            if row["role"] == "all" and row["tier"] == "seeds":
                count[row["question"], row["reached"]] += 1
                p_of_seeds.setdefault(row["question"], []).append((row["p_value"], row["p_adjusted"]))
                if row["reached"] not in (None, "run"):
                    beyond.append((order, row["question"], row["reached"], f"{row['p_value']:.2g}"))
        print(f"order {order}: {[one[1:] for one in beyond if one[0] == order] or 'nothing beyond run'}", flush=True)
    smallest = {q: [f"{min(column):.2g}" for column in zip(*p, strict=True)] for q, p in p_of_seeds.items()}
    rows = [(q, *(count[q, tier] for tier in (None, *TIERS)), *least) for q, least in smallest.items()]
    table(("question", "nothing", *TIERS, "smallest p over seeds", "as it counts"), rows)
    table(("order", "question", "reached", "p over seeds"), beyond)


def more_models(results: Path, out: Path) -> dict[str, list[str]]:
    """Measure initialisations with noise and a third network on shuffled text; models of each by subject."""
    out.mkdir(exist_ok=True, parents=True)
    world = World(results, out, next((results / "pretrain").glob("*/step0")))
    if not (out / "null-seed5").is_dir():
        world.write_nulls()
    third = world.third_control()
    config = world.configure(world.nulls() | third)
    steps = sorted(int(path.name.removeprefix("step")) for path in next((results / "pretrain").iterdir()).glob("step*"))
    wanted = [(m, s) for m in world.nulls() for s in STEPS] + [(m, s) for m in third for s in steps]
    paths = [
        str(out.resolve() / "results" / name / PANEL / m / f"step{s}.parquet") for name in TABLES for m, s in wanted
    ]
    run = [sys.executable, "-m", "tools.inside", "--cores", "1", "--configfile", str(config)]
    subprocess.run([*run, "-s", str(ROOT / "Snakefile"), "--nolock", *paths], cwd=ROOT, check=True)
    return {"initialisations with noise": list(world.nulls()), "shuffled text": list(third)}


def report(rows: list[dict]) -> None:
    """Print what is reached, p of each run, and p over seeds alone and as it counts."""
    lines = []
    for question in dict.fromkeys(row["question"] for row in rows):
        mine = [row for row in rows if row["question"] == question]
        of_runs = ", ".join(f"{row['p_value']:.2g}" for row in mine if row["tier"] == "run" and row["role"] == "run")
        (seeds,) = (row for row in mine if row["tier"] == "seeds")
        estimate = "{estimate:.3g} [{low:.3g}, {high:.3g}] ({scale})".format(**seeds)
        p = f"{seeds['p_value']:.2g}, {seeds['p_adjusted']:.2g}"
        lines.append((question, seeds["reached"] or "-", of_runs, p, estimate))
    table(("question", "reached", "p of each run", "p over seeds, as it counts", "change"), lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--orders", type=int, default=20)
    given = parser.parse_args()
    config = complete_config(SCHEMA, read_yaml("config/analysis.yaml"), read_yaml("config/config.yaml"))
    models = [name for name, entry in config["models"].items() if "control_of" not in entry]
    controls = [name for name in config["models"] if name not in models]
    if given.orders:
        permuted(given.results, given.orders, models, controls, config["evidence"])
    for subject, new in more_models(given.results, given.out).items():
        known = controls if subject == "shuffled text" else []
        shards = shards_of(given.out / "results", new) + shards_of(given.results, known)
        print(f"\n{subject}", flush=True)
        report(judge(shards, [*known, *new], [], config["evidence"]))


if __name__ == "__main__":
    main()
