"""Planted series through the whole pipeline: what each tier says where the truth is known.

Run with `python -m benchmarks.planted.run RESULTS OUT [--k 5 20] [--signs one mixed frequency]`, RESULTS a
finished default demo, OUT a new folder. Three seeds are planted, two more are their controls. Prints Markdown tables.
Series in which nothing is to be found: `benchmarks.planted.nulls`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from transformers import GPTNeoXConfig

from benchmarks.calibration.evidence_world import table
from benchmarks.planted.plant import (
    Plant,
    fit_plant,
    influence_floor,
    initialise,
    plant_frequency,
    training_contexts,
    write_series,
)
from rare_neurons.configuration import complete_config
from rare_neurons.models.influence.probe import ProbeResult, probe_model
from rare_neurons.models.loading import load_model
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.results import load_evidence, load_shards, load_timeline
from rare_neurons.stages.on_panel import load_panel
from rare_neurons.stages.probe import settings_of
from rare_neurons.tables import read_table
from tools.configuration import SCHEMA, read_yaml

ROOT = Path(__file__).parents[2]
STEPS, PLANTED = [0, 1, 2, 4, 8, 16], 4
NOISE = 0.02
SEEDS, CONTROLS, NULLS = (0, 1, 2), (3, 4), (3, 4, 5)


def main() -> None:
    """Write the series, run the workflow on them, print what the tables say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--k", type=int, nargs="+", default=[5, 20])
    parser.add_argument("--signs", nargs="+", default=["one", "mixed", "frequency"])
    parser.add_argument("--size", type=float, default=3.0, help="root mean square over the layer, in floors")
    given = parser.parse_args()
    checkpoint = next((given.results / "pretrain").glob("*/step0"))
    world = World(given.results, given.out, checkpoint)
    world.write_nulls()
    models = {}
    for k in given.k:
        for signs in given.signs:
            models |= world.planted(k, signs, given.size)
    config = world.configure(models)
    run = [sys.executable, "-m", "tools.inside", "--cores", "1", "--configfile", str(config)]
    run += ["-s", str(ROOT / "Snakefile")]
    results = given.out.resolve() / "results"
    subjects = {entry["subject"] for entry in models.values() if "control_of" not in entry}
    wanted = [f"timelines/evidence/{subject}.parquet" for subject in sorted(subjects)]
    wanted += [
        f"timelines/{table}/{name}.parquet" for name in world.truth for table in ("inequality", "members", "changed")
    ]
    subprocess.run([*run, "--nolock", *(str(results / path) for path in wanted)], cwd=ROOT, check=True)
    report(given.out / "results", world.truth)


class World:
    """Untrained networks with the demo's shape, its panel, and what is planted in them."""

    def __init__(self, results: Path, out: Path, checkpoint: Path) -> None:
        self.results, self.out, self.shape = results, out, GPTNeoXConfig.from_pretrained(checkpoint)
        tables = {name: str(results / "panel/heldout" / f"{name}.parquet") for name in ("contexts", "targets")}
        (tokens,) = results.glob("corpus/*/*/tokens.parquet")
        unigram = tokens.with_name("unigram.parquet")
        self.text = training_contexts(tokens, length=128)
        config = complete_config(SCHEMA, read_yaml("config/analysis.yaml"), read_yaml("config/config.yaml"))
        rules = config["panels"]["heldout"]["strata"]
        self.settings = settings_of({**config["probe"], "placebo_draws": 0})
        self.panel = load_panel(**tables, unigram=str(unigram), rules=rules)
        stratum = assign_strata(read_table(unigram)["count"].to_numpy(), rules)
        self.rare = stratum == tuple(rules).index("rare")
        self.truth: dict[str, np.ndarray] = {}
        self.probed: dict[Path, ProbeResult] = {}

    def base(self, seed: int) -> Path:
        """Untrained network of a seed."""
        folder = self.out / "base" / f"seed{seed}"
        return folder if folder.exists() else initialise(self.shape, folder, seed=seed)

    def probe(self, folder: Path) -> ProbeResult:
        """Measure a network on the panel, once."""
        if folder not in self.probed:
            self.probed[folder] = self._probe(folder)
        return self.probed[folder]

    def _probe(self, folder: Path) -> ProbeResult:
        return probe_model(load_model(folder, dtype=torch.float32), self.panel, self.settings)

    @cached_property
    def floor(self) -> float:
        """Noise floor of this panel and shape: of one network it is known to 40 %, so that six share one (nats)."""
        rare = self.panel.strata.index("rare")
        squares = [influence_floor(self.probe(self.base(seed)), rare) ** 2 for seed in (*SEEDS, *NULLS)]
        return float(np.sqrt(np.mean(squares)))

    def write(self, name: str, steps: list[int], *, seed: int, base: int | None = None, **how: object) -> None:
        """Write a series that is not there, noise from its seed, over the network of that or a base."""
        if not (self.out / name / f"step{steps[-1]}" / "model.safetensors").exists():
            write_series(self.base(seed if base is None else base), self.out / name, steps=steps, seed=seed, **how)

    def write_nulls(self) -> None:
        """Write three series of noise alone."""
        for seed in NULLS:
            self.write(f"null-seed{seed}", STEPS, seed=100 + seed, base=seed, noise=NOISE)

    def nulls(self) -> dict[str, dict]:
        """Name them as a subject of their own."""
        return {f"null-seed{seed}": {"subject": "null"} for seed in NULLS}

    def planted(self, k: int, signs: str, size: float, seeds: Sequence[int] = SEEDS) -> dict[str, dict]:
        """Planted series, and two series of noise alone as their controls."""
        models, subject = {}, f"k{k}-{signs}"
        for seed in seeds:
            plant = self.plant(seed, k, signs, size)
            name = f"{subject}-seed{seed}"
            self.write(name, STEPS, seed=seed, noise=NOISE, plant=plant, planted_step=PLANTED)
            self.truth[name], models[name] = plant.neurons, {"subject": subject}
        for seed in CONTROLS:
            control = self.out / f"{subject}-control{seed}"
            if not control.is_symlink():
                control.symlink_to((self.out / f"null-seed{seed}").resolve())
            models[f"{subject}-control{seed}"] = {"control_of": subject, "subject": f"{subject}-controls"}
        return models

    def plant(self, seed: int, k: int, signs: str, size: float) -> Plant:
        """What is planted in the network of a seed."""
        if signs == "frequency":
            return plant_frequency(self.base(seed), self.panel.log_unigram, k=k, size=3.0, seed=seed)
        base = self.probe(self.base(seed))
        effect = size * self.floor * np.sqrt(self.shape.intermediate_size / k)
        plant = fit_plant(self.base(seed), self.text, self.rare, k=k, effect=effect, signs=signs, seed=seed)
        # What serves training text serves other documents less: the size is set by what is measured.
        trial = f"trial/{k}-{signs}-{seed}-{effect:.6g}"
        self.write(trial, [0], seed=seed, noise=0.0, plant=plant)
        found = self.probe(self.out / trial / "step0").influence_within - base.influence_within
        measured = np.abs(found[self.panel.strata.index("rare")][plant.neurons]).mean()
        print(f"{k} neurons, {signs}, seed {seed}: {measured:.3g} nats for {effect:.3g} asked", file=sys.stderr)
        return Plant(plant.neurons, plant.directions * (effect / measured))

    def third_control(self) -> dict[str, dict]:
        """One more network on shuffled text than the default trains."""
        models = read_yaml("config/config.yaml")["models"]
        last = models[max(name for name, entry in models.items() if "control_of" in entry)]
        more = {key: value for key, value in last.items() if key != "control_of"}
        return {f"shuffled-seed{last['seed'] + 1}": {**more, "seed": last["seed"] + 1}}

    def configure(self, models: dict[str, dict]) -> Path:
        """Write the configuration of all series."""
        default = read_yaml("config/config.yaml")
        (tokenizer,) = default["tokenizers"]
        source = {"source": "folder", "tokenizer": tokenizer, "steps": STEPS, "n_neurons": self.shape.intermediate_size}
        entries = {
            name: {} if "recipe" in more else {**source, "path": f"{(self.out / name).resolve()}/step{{step}}"}
            for name, more in models.items()
        }
        entries = {name: entry | models[name] for name, entry in entries.items()}
        kept = {section: default[section] for section in ("corpora", "tokenizers", "recipes", "panels")}
        cheap = {"spectra": {"refits": 0, "likelihood_ratios": False, "shuffles": 0}}
        whole = {
            **kept,
            **cheap,
            "models": entries,
            "results": str((self.out / "results").resolve()),
        }
        path = self.out / "config.yaml"
        path.write_text(yaml.safe_dump(whole, sort_keys=False))
        return path


def report(results: Path, truth: dict[str, np.ndarray]) -> None:
    """Print what the tables say of every planted subject about influence."""
    found, onsets = load_evidence(results), load_timeline(results, "onsets")
    rows = []
    for (subject, question), mine in found.groupby(["subject", "question"], sort=False):
        if "controls" in subject or "influence" not in question:
            continue
        dates = onsets[(onsets.subject == subject) & (onsets.question == question)]
        of_runs, whole = (", ".join(_dates(dates[dates.role == role])) for role in ("run", "all"))
        reached = mine.reached.iloc[0] if pd.notna(mine.reached.iloc[0]) else "-"
        rows.append((subject, question, reached, *_p_values(mine), of_runs, whole))
    tiers = ("run, each", "seeds", "beyond control", "specific")
    table(("subject", "question", "reached", *tiers, "onset of each run", "over runs"), rows)
    print("\np: of the question alone -> as it counts, after paying for the others")
    print_neurons(results, truth)


def _p_values(found: pd.DataFrame) -> list[str]:
    """p of each tier: of the question alone, and as it counts."""
    of_runs = ", ".join(f"{p:.2g}" for p in found[(found.tier == "run") & (found.role == "run")].p_value)
    whole = found[found.role == "all"].set_index("tier")
    cells = []
    for tier in ("seeds", "beyond_control", "specific"):
        known = tier in whole.index and pd.notna(whole.p_value[tier])
        cells.append(f"{whole.p_value[tier]:.2g} -> {whole.p_adjusted[tier]:.2g}" if known else "-")
    return [of_runs, *cells]


def _dates(onsets: pd.DataFrame) -> list[str]:
    return [f"({row.after:.0f}, {row.by:.0f}]" if row.status == "dated" else row.status for row in onsets.itertuples()]


def print_neurons(results: Path, truth: dict[str, np.ndarray]) -> None:
    """Print effective numbers at the last step and of the change, and how many planted neurons are the strongest."""
    last = load_timeline(results, "inequality", stratum="rare", steps=[STEPS[-1]], include_quarantined=True)
    change = load_timeline(results, "changed", stratum="rare")
    rows = []
    for name, neurons in truth.items():
        shard = load_shards(results, "influence", models=name, steps=[STEPS[-1]], stratum="rare")
        strongest = shard.sort_values("influence_within", key=np.abs, ascending=False).neuron.to_numpy()[: len(neurons)]
        numbers = [number_of(each[each.model == name].iloc[0]) for each in (change, last)]
        rows.append((name, len(neurons), *numbers, len(set(strongest) & set(neurons.tolist()))))
    numbers = ("effective number of the change", "of the last step")
    table(("series", "planted", *numbers, "planted among as many strongest"), rows)


def number_of(row: pd.Series) -> str:
    """Effective number with its interval, or why there is none."""
    number = [row[f"effective_number_within{end}"] for end in ("", "_low", "_high")]
    return "{:.1f} [{:.1f}, {:.1f}]".format(*number) if pd.notna(number[0]) else row["effective_number_within_status"]


if __name__ == "__main__":
    main()
