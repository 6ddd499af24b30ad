"""The certified engine against the exact one on every checkpoint of the embedded models, at the panel of the results.

    python -m benchmarks.agreement [--results results] [--config config/config.yaml] [--models NAME ...]

For every checkpoint and stratum: Spearman correlation over neurons of both engines' means, and the largest difference
as a share of the certified bound. Exact pairs in float64 take about 8 ms per target of 384 neurons: an hour of CPU time
for the default configuration.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import torch
from scipy.stats import spearmanr

from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.loading import load_model
from rare_neurons.results import list_models
from rare_neurons.stages.on_panel import load_panel
from rare_neurons.stages.probe import settings_of
from rare_neurons.tables import read_table
from tools.configuration import read_config

COLUMNS = ("influence", "abs_influence", "influence_within")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--config", type=Path, default=Path("config/config.yaml"))
    parser.add_argument("--models", nargs="*")
    asked = parser.parse_args()
    config = read_config(asked.config.resolve())
    torch.set_num_threads(1)
    print("| model | step | stratum | " + " | ".join(f"Spearman, {c}" for c in COLUMNS) + " | difference / bound |")
    print("| --- | --- | --- |" + " --- |" * (len(COLUMNS) + 1))
    for model in asked.models or list_models(asked.results):
        for panel, settings in config["panels"].items():
            if settings["tokenizer"] == config["models"][model]["tokenizer"]:
                _compare(asked.results, config, model, panel)


def _compare(results: Path, config: dict, model: str, panel: str) -> None:
    settings = config["panels"][panel]
    unigram = results / f"corpus/{settings['corpus']}/{settings['tokenizer']}/unigram.parquet"
    tables = {name: str(results / f"panel/{panel}/{name}.parquet") for name in ("contexts", "targets")}
    arrays = load_panel(**tables, unigram=str(unigram), rules=settings["strata"])
    shards = (results / f"influence/{panel}/{model}").glob("step*.parquet")
    for step, shard in sorted((int(path.stem.removeprefix("step")), path) for path in shards):
        weights = results / f"pretrain/{model}/step{step}"
        exact = probe_model(
            load_model(weights, dtype=torch.float32, device="cpu"),
            arrays,
            replace(settings_of(config["probe"]), engine="exact", placebo_draws=0),
            batch_size=int(config["probe"]["batch_size"]),
        )
        certified = read_table(shard)
        for i, stratum in enumerate(arrays.strata):
            mine = certified.filter(pc.equal(certified["stratum"], stratum))
            values = {name: mine[name].to_numpy() for name in (*COLUMNS, "truncation_bound", "rounding_bound")}
            bound = values["truncation_bound"] + values["rounding_bound"] + exact.rounding_bound[i]
            ranks = [spearmanr(values[name], getattr(exact, name)[i]).statistic for name in COLUMNS]
            worst = np.max(np.abs(values["influence"] - exact.influence[i]) / bound)
            print(f"| {model} | {step} | {stratum} |", *(f"{r:.7f} |" for r in ranks), f"{worst:.2f} |", flush=True)


if __name__ == "__main__":
    main()
