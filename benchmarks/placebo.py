"""What placebos cost: CPU seconds of a probe with draws over those of one without, on checkpoints and made-up layers.

    python -m benchmarks.placebo [--results results] [--models NAME ...] [--steps 0 1000] [--shape 70m] [--targets 1536]

Probes with and without take turns; the ratio's range is that over the repeats. Checkpoints are probed as the pipeline
does, forward pass included, on the panel's own contexts and targets; made-up layers have no forward pass, so that their
ratio is an upper bound. One thread.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from benchmarks.influence_inputs import SHAPES, synthetic_inputs
from rare_neurons.models.influence.inputs import EngineSettings, PassInputs
from rare_neurons.models.influence.panel_pass import measure_panel
from rare_neurons.models.influence.probe import probe_model
from rare_neurons.models.loading import load_model
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.tables import read_metadata, read_table

STRATA = {"common": {"mass": [0.0, 0.5]}, "mid": {"mass": [0.5, 0.9]}, "rare": {"mass": [0.9, 1.0]}}


def settings(n_draws: int, memory_gb: float) -> EngineSettings:
    """As in config/analysis.yaml, with this many placebos."""
    return EngineSettings(
        engine="certified", tolerance=1e-7, tolerance_se=0.1, memory_gb=memory_gb, placebo_draws=n_draws
    )


def plain_panel(results: Path, panel: str, unigram: Path) -> PanelArrays:
    """Contexts and targets of a panel on a grid that costs the same as its own: every context a document."""
    contexts, targets = (read_table(results / f"panel/{panel}/{name}.parquet") for name in ("contexts", "targets"))
    types = read_table(unigram, ["count", "probability"])
    labels = assign_strata(types["count"].to_numpy(), STRATA)
    context, target_id = targets["context"].to_numpy(), targets["target_id"].to_numpy()
    return PanelArrays(
        token_ids=np.stack([row.values.to_numpy() for row in contexts["token_ids"]]).astype(np.int64),
        fold=np.arange(len(contexts)) % N_FOLDS,
        context=context,
        position=targets["position"].to_numpy(),
        target_id=target_id,
        document=context,
        type_bin=target_id % N_FOLDS,
        stratum=labels[target_id],
        strata=tuple(STRATA),
        vocab_stratum=labels,
        log_unigram=np.log(types["probability"].to_numpy()),
        min_position=int(read_metadata(results / f"panel/{panel}/contexts.parquet")["min_position"]),
    )


def compare(name: str, probe: Callable[[int], object], n_draws: int, repeats: int) -> None:
    """Print a row of the table."""
    probe(0)
    seconds = {0: [], n_draws: []}
    for _ in range(repeats):
        for draws, taken in seconds.items():
            start = time.process_time()
            probe(draws)
            taken.append(time.process_time() - start)
    without, with_draws = (np.array(taken) for taken in seconds.values())
    ratio = with_draws / without
    print(
        f"| {name} | {np.median(without):.2f} | {np.median(with_draws):.2f} | {np.median(ratio):.2f} "
        f"({ratio.min():.2f} to {ratio.max():.2f}) |",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--panel", default="heldout")
    parser.add_argument("--models", nargs="*", default=["embedded-seed0"])
    parser.add_argument("--steps", nargs="*", type=int, default=[0, 1000])
    parser.add_argument("--shape", nargs="*", choices=SHAPES, default=[])
    parser.add_argument("--targets", type=int, default=1536)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print(f"| what | without, CPU s | with {asked.draws} draws, CPU s | ratio (range) |\n| --- | --- | --- | --- |")
    unigram = next(iter(sorted(asked.results.glob("corpus/*/*/unigram.parquet"))), None)
    for name in asked.models:
        panel = plain_panel(asked.results, asked.panel, unigram)
        for step in asked.steps:
            model = load_model(asked.results / f"pretrain/{name}/step{step}", dtype=torch.float32)
            probe = partial(_probe, model, panel)
            compare(f"{name}, step {step}", probe, asked.draws, asked.repeats)
    for shape in asked.shape:
        inputs = synthetic_inputs(SHAPES[shape], asked.targets, seed=0, median_abs_influence=1e-3)
        compare(f"layer of {shape}, {asked.targets} targets", partial(_pass, inputs), asked.draws, asked.repeats)


def _probe(model: PreTrainedModel, panel: PanelArrays, n_draws: int) -> None:
    probe_model(model, panel, settings(n_draws, 0.5), batch_size=32)


def _pass(inputs: PassInputs, n_draws: int) -> None:
    measure_panel(inputs, settings(n_draws, 4.0))


if __name__ == "__main__":
    main()
