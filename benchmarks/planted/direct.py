"""Planted series measured by the probe and judged by the rule `evidence`, without the workflow's other rules.

Run with `python -m benchmarks.planted.direct RESULTS OUT [--k 20] [--signs mixed] [--seeds 0 1 2] [--steps 0 16]`,
RESULTS a finished default demo, OUT a folder. What is there already is not written or measured again. Prints for every
subject of three seeds what each question reaches, and for every series how many neurons have changed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.calibration.evidence_world import table
from benchmarks.planted.alone import judge_alone
from benchmarks.planted.nulls import PANEL, judge, shards_of
from benchmarks.planted.run import CONTROLS, SEEDS, STEPS, World, number_of
from rare_neurons.configuration import complete_config
from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.loading import load_model
from rare_neurons.numerics.influence.change import change_rows
from rare_neurons.stages.metric import read_shard
from rare_neurons.stages.probe import probe_tables, settings_of
from rare_neurons.tables import read_table, write_rows
from tools.configuration import SCHEMA, read_yaml

TABLES = ("behaviour", "moments", "influence", "cells")


def measure(world: World, out: Path, model: str, steps: list[int], probe: dict) -> None:
    """Write a model's tables of the steps that have none yet."""
    for step in steps:
        paths = {name: out / name / PANEL / model / f"step{step}.parquet" for name in TABLES}
        if all(path.is_file() for path in paths.values()):
            continue
        network = load_model(world.out / model / f"step{step}", dtype=torch.float32)
        found = probe_model(network, world.panel, settings_of(probe), batch_size=probe["batch_size"])
        place = {"panel": PANEL, "model": model, "step": step}
        for name, rows in probe_tables(found, world.panel, place).items():
            if name in paths:
                paths[name].parent.mkdir(parents=True, exist_ok=True)
                write_rows(name, rows, paths[name], {})


def print_subject(out: Path, subject: str, seeds: list[int], options: dict) -> None:
    """Print what each question about influence reaches over these seeds."""
    runs = [f"{subject}-seed{seed}" for seed in seeds]
    controls = [f"null-seed{seed}" for seed in CONTROLS]
    rows, lines = judge(shards_of(out, [*runs, *controls]), runs, controls, options), []
    for question in dict.fromkeys(row["question"] for row in rows if "influence" in row["question"]):
        mine = [row for row in rows if row["question"] == question]
        known = [r["p_value"] for r in mine if (r["tier"], r["role"]) == ("run", "run") and r["p_value"] is not None]
        of_runs = ", ".join(f"{p:.2g}" for p in known) or "-"
        whole = {row["tier"]: row for row in mine if row["role"] == "all"}
        tiers = [_p(whole.get(tier)) for tier in ("seeds", "beyond_control", "specific")]
        lines.append((subject, question, mine[0]["reached"] or "-", of_runs, *tiers))
    table(("subject", "question", "reached", "run, each", "seeds", "beyond control", "specific"), lines)


def print_runs(out: Path, models: list[str], truth: dict[str, np.ndarray], options: dict) -> None:
    """Print the onset of each run judged alone, how many neurons have changed, and how many are the planted ones."""
    rows = []
    for model in models:
        steps = sorted(int(p.stem.removeprefix("step")) for p in (out / "moments" / PANEL / model).glob("*.parquet"))
        first, last = (
            read_shard(*(str(out / name / PANEL / model / f"step{step}.parquet") for name in ("influence", "cells")))
            for step in (steps[0], steps[-1])
        )
        changes = change_rows(last, first, step=steps[-1], first_step=steps[0])
        change = next(pd.Series(vars(row)) for row in changes if row.stratum == "rare")
        shard = read_table(str(out / "influence" / PANEL / model / f"step{steps[-1]}.parquet")).to_pandas()
        mine = shard[shard.stratum == "rare"].sort_values("influence_within", key=np.abs, ascending=False)
        strongest = set(mine.neuron.to_numpy()[: len(truth[model])])
        alone = judge_alone(out, model, options) if len(steps) > 2 else None
        any_sign = alone[alone.index.str.contains("on rare tokens, any sign")].iloc[0] if alone is not None else None
        date = "-" if any_sign is None else f"({any_sign.after:.0f}, {any_sign.by:.0f}]"
        p = "-" if any_sign is None else f"{any_sign.p_value:.2g}, {any_sign.p_adjusted:.2g}"
        hits = len(strongest & set(truth[model].tolist()))
        rows.append((model, len(truth[model]), p, date, number_of(change), hits))
    head = ("series", "planted", "any sign alone: p, as it counts", "onset", "effective number of the change")
    table((*head, "planted among as many strongest"), rows)


def _p(row: dict | None) -> str:
    known = row is not None and row["p_value"] is not None
    return f"{row['p_value']:.2g} -> {row['p_adjusted']:.2g}" if known else "-"


def main() -> None:
    """Write what is missing, measure it, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--k", type=int, nargs="+", default=[5, 20])
    parser.add_argument("--signs", nargs="+", default=["one", "mixed"])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    config = complete_config(SCHEMA, read_yaml("config/analysis.yaml"), read_yaml("config/config.yaml"))
    world = World(given.results, given.out, next((given.results / "pretrain").glob("*/step0")))
    world.write_nulls()
    results = given.out / "direct"
    for seed in CONTROLS:
        measure(world, results, f"null-seed{seed}", STEPS, config["probe"])
    print(f"floor: {world.floor:.3g} nats", flush=True)
    for k in given.k:
        for signs in given.signs:
            subject = f"k{k}-{signs}"
            world.planted(k, signs, 3.0, given.seeds)
            models = [f"{subject}-seed{seed}" for seed in given.seeds]
            for model in models:
                measure(world, results, model, given.steps, config["probe"])
            for start in range(0, len(given.seeds), 3):
                print_subject(results, subject, given.seeds[start : start + 3], config["evidence"])
            print_runs(results, models, world.truth, config["evidence"])


if __name__ == "__main__":
    main()
