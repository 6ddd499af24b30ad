"""What the account of a loss change leaves over, and what it costs, on adjacent checkpoints of a finished run.

Run ``python -m benchmarks.allocation RESULTS [--model embedded-seed0] [--contexts 72]`` on the results of a demo (about
two CPU-minutes), one thread. The cost is in CPU seconds and in forward passes over the same contexts, which end at the
targets' logits. A second table compares one line with two by way of the checkpoint between, and a third times exact
ablation of heads and sublayers. Markdown.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import yaml
from transformers import PreTrainedModel

from rare_neurons.models.allocation.contexts import batches_of, choose_contexts
from rare_neurons.models.allocation.measure import AllocationOptions, AllocationResult, measure_allocation
from rare_neurons.models.allocation.plain import plain_losses
from rare_neurons.models.layers.heads import HeadOptions, measure_heads
from rare_neurons.models.layers.losses import LossReadout
from rare_neurons.models.loading import load_model
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.stages.on_panel import load_panel

STRATA = ("common", "rare")
BATCH = 32  # contexts, of 128 tokens in the demo
BETWEEN = 3  # last triples of checkpoints whose paths are compared


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--model", default="embedded-seed0")
    parser.add_argument("--panel", default="heldout")
    parser.add_argument("--contexts", type=int, default=72)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    panel = panel_of(arguments.results, arguments.panel)
    folder = arguments.results / "pretrain" / arguments.model
    steps = sorted(int(path.name.removeprefix("step")) for path in folder.glob("step*"))
    options = AllocationOptions(strata=STRATA, contexts=arguments.contexts, batch_size=BATCH)
    print(f"{arguments.model}, {arguments.contexts} contexts\n")
    report_pairs(folder, steps, panel, options)
    report_paths(folder, steps, panel, options)
    report_heads(folder / f"step{steps[-1]}", panel)


def panel_of(results: Path, name: str) -> PanelArrays:
    """Load the panel of a finished run."""
    config = yaml.safe_load((results / "config.yaml").read_text())
    wanted = config["panels"][name]
    unigram = results / "corpus" / wanted["corpus"] / wanted["tokenizer"] / "unigram.parquet"
    tables = {table: str(results / "panel" / name / f"{table}.parquet") for table in ("contexts", "targets")}
    return load_panel(**tables, unigram=str(unigram), rules=wanted["strata"])


def at(folder: Path, step: int) -> PreTrainedModel:
    """Load a checkpoint."""
    return load_model(folder / f"step{step}", dtype=torch.float32)


def timed(work: Callable[[], object]) -> tuple[object, float]:
    """Give what work returns, and its CPU seconds."""
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


def forward_seconds(model: PreTrainedModel, panel: PanelArrays, n_contexts: int, repeats: int = 3) -> float:
    """Least CPU seconds of a forward pass over the chosen contexts, with the losses of their targets."""
    some = choose_contexts(panel, n_contexts, STRATA)
    classes = LossReadout(model, panel.vocab_stratum, n_strata=len(panel.strata)).class_of_id.numpy()
    batches, strata = batches_of(some, BATCH), [panel.strata.index(name) for name in STRATA]
    return min(timed(lambda: plain_losses(model, batches, classes=classes, strata=strata))[1] for _ in range(repeats))


def report_pairs(folder: Path, steps: list[int], panel: PanelArrays, options: AllocationOptions) -> None:
    """Print change and remainder of every adjacent pair, and its cost."""
    names = [f"{stratum} {part}" for stratum in STRATA for part in ("whole", "within")]
    print("| steps | " + " | ".join(names) + " | intervals | CPU s | forward passes per node |")
    print("| --- " * (4 + len(names)) + "|")
    for a, b in pairwise(steps):
        first, second = at(folder, a), at(folder, b)
        forward = forward_seconds(first, panel, int(options.contexts))
        result, seconds = timed(lambda a=first, b=second: measure_allocation(a, b, panel, options))
        per_node = seconds / result.changes["n_nodes"][0] / forward
        cells = [remainder_of(result, k) for k in range(len(names))]
        tail = f"{result.changes['n_intervals'][0]} | {seconds:.1f} | {per_node:.1f} |"
        print(f"| {a} to {b} | " + " | ".join(cells) + f" | {tail}", flush=True)


def remainder_of(result: AllocationResult, k: int) -> str:
    """Describe one loss: its change in nats and the share of it that is left over."""
    change, remainder = result.changes["loss_change"][k], result.changes["remainder"][k]
    return f"{change:+.3f} ({remainder / change:+.2%})"


def report_paths(folder: Path, steps: list[int], panel: PanelArrays, options: AllocationOptions) -> None:
    """Print the correlation over neurons of one line with two."""
    print("\n| line | by way of | " + " | ".join(f"{s} {p}" for s in STRATA for p in ("whole", "within")) + " |")
    print("| --- " * (2 + 2 * len(STRATA)) + "|")
    for a, between, b in list(zip(steps, steps[1:], steps[2:], strict=False))[-BETWEEN:]:
        models = {step: at(folder, step) for step in (a, between, b)}
        found = measure_allocation(models[a], models[b], panel, options, middle=models[between]).changes
        values = " | ".join(f"{value:.3f}" for value in found["path_correlation"])
        print(f"| {a} to {b} | {between} | {values} |", flush=True)


def report_heads(folder: Path, panel: PanelArrays) -> None:
    """Print what exact ablation of heads and sublayers costs."""
    model = load_model(folder, dtype=torch.float32)
    print("\n| contexts | heads and sublayers | CPU s | forward passes |\n| --- | --- | --- | --- |")
    for n_contexts in (24, 96):
        options = HeadOptions(strata=STRATA, contexts=n_contexts, batch_size=BATCH)
        found, seconds = timed(lambda o=options: measure_heads(model, panel, o))
        n = len(found["layer"]) // len(STRATA)
        passes = seconds / forward_seconds(model, panel, n_contexts)
        largest = np.abs(np.array(found["influence_within"], dtype=float)).max()
        print(f"| {n_contexts} | {n} (largest within {largest:.2f} nats) | {seconds:.2f} | {passes:.1f} |")


if __name__ == "__main__":
    main()
