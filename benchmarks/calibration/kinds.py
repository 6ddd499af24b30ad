"""Kinds of neurons of trained models: planted ones are found and nothing else, and lists agree with bounds.

Run ``python -m benchmarks.calibration.kinds RESULTS`` on a results folder of the demo with its checkpoints (about a
CPU-minute). The table stands in ``docs/methods/kinds.md``.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedModel

from benchmarks.calibration.organisation_trained import panel_of
from rare_neurons.families import family_of
from rare_neurons.models.activity.activity_pass import run_activity
from rare_neurons.models.activity.counting import ActivityCounts
from rare_neurons.models.activity.reading import choose_contexts
from rare_neurons.models.activity.readout_effects import unembedding_rows
from rare_neurons.models.activity.taps import tapped_mlps
from rare_neurons.models.loading import load_model
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.kinds.census import KindRow, LayerWeights, take_census
from rare_neurons.numerics.kinds.detectors import DetectorSearch
from rare_neurons.numerics.kinds.ngrams import Text

STEPS = (0, 16, 128, 1000)


def census_of(model: PreTrainedModel, panel: PanelArrays) -> list[KindRow]:
    """Rows of all layers."""
    family, contexts = family_of(model.config.to_dict()), choose_contexts(panel.fold, 1.0)
    nowhere = (np.empty(0, dtype=np.int64),) * 2
    run = run_activity(model, panel, contexts, at=nowhere, batch_size=32)
    unembedding, embedding = unembedding_rows(model), model.get_input_embeddings().weight.detach().numpy()
    rows = []
    for layer, counts in enumerate(run.counts):
        w_out = model.get_submodule(family.block_module(layer, "W_out")).weight.detach().T.double().numpy()
        alone = layer == 0 and family.parallel(model.config.to_dict())
        weights = LayerWeights(w_out, unembedding, embedding, norm_centres=True, sees_current_token_alone=alone)
        rows += take_census(layer, counts, run.text, weights)
    return rows


def of_models(results: Path) -> Iterator[str]:
    """Yield counts of kinds by model, step and layer."""
    _, panel, _ = panel_of(results)
    for folder in sorted((results / "pretrain").iterdir()):
        for step in STEPS:
            rows = census_of(load_model(folder / f"step{step}", dtype=torch.float32), panel)
            for layer in sorted({row.layer for row in rows}):
                own = [row for row in rows if row.layer == layer]
                kinds = dict(Counter(row.kind for row in own))
                flags = {
                    name: sum(getattr(row, name) for row in own) for name in ("silent", "positional", "suppressor")
                }
                largest = max(row.position_information - row.position_bias for row in own)
                yield f"{folder.name} {step} layer {layer}: {kinds} {flags} largest position information {largest:.4f}"


def lists_and_bounds(results: Path) -> Iterator[str]:
    """Yield how the bounds of neurons without lists agree with lists of every activation."""
    for step in (16, 1000):
        yield f"embedded-seed0 {step}: {_agreement(results, step)}"


def _agreement(results: Path, step: int) -> str:
    _, panel, _ = panel_of(results)
    model = load_model(results / "pretrain" / "embedded-seed0" / f"step{step}", dtype=torch.float32)
    contexts = choose_contexts(panel.fold, 1.0)
    text = run_activity(model, panel, contexts, at=(np.empty(0, np.int64),) * 2, batch_size=32).text
    pairs: Counter[tuple[str | None, str | None]] = Counter()
    made = [ActivityCounts(text, n_layers=model.config.num_hidden_layers, listed=share) for share in (1.0, 0.01)]
    for counts in made:
        with torch.inference_mode(), tapped_mlps(model, counts.visit):
            for start in range(0, len(contexts), 32):
                model.base_model(input_ids=torch.from_numpy(text.token_ids[start : start + 32]), use_cache=False)
                counts.advance(min(start + 32, len(contexts)))
    for exact, bounded in zip(*(counts.finish() for counts in made), strict=True):
        full, some = DetectorSearch(exact, text), DetectorSearch(bounded, text)
        pairs.update((full(k).kind, some(k).kind) for k in range(exact.n_neurons))
    wrong = sum(n for (full, some), n in pairs.items() if some not in (full, "undecided"))
    return f"lists of all against the default: {dict(pairs)}; contradictions {wrong}"


def planted(results: Path, step: int = 1000) -> Iterator[str]:
    """Yield what is found of neurons whose pre-activations are replaced by planted ones, and of all others."""
    _, panel, _ = panel_of(results)
    model = load_model(results / "pretrain" / "embedded-seed0" / f"step{step}", dtype=torch.float32)
    family, contexts = family_of(model.config.to_dict()), choose_contexts(panel.fold, 1.0)
    text = run_activity(model, panel, contexts, at=(np.empty(0, np.int64),) * 2, batch_size=64).text
    active = plants(text)
    done = [0]

    def plant(_module: torch.nn.Module, _args: tuple, output: torch.Tensor) -> torch.Tensor:
        output = output.clone()
        for neuron, (_, where) in enumerate(active.values()):
            own = torch.from_numpy(where[done[0] : done[0] + len(output)])
            output[:, :, neuron] = torch.where(own, 1.0, -1.0)
        done[0] += len(output)
        return output

    last = model.config.num_hidden_layers - 1
    handle = model.get_submodule(family.block_module(last, "W_in")).register_forward_hook(plant)
    rows = [row for row in census_of(model, panel) if row.layer == last]
    handle.remove()
    for neuron, (name, (kind, _)) in enumerate(active.items()):
        row = rows[neuron]
        more = f", {row.position_information - row.position_bias:.4f} nats" if row.positional else ""
        yield f"{name}: {row.kind}{' positional' * row.positional}{more} ({row.n_active} activations); planted {kind}"
    rest = Counter((row.kind, row.positional) for row in rows[len(active) :])
    yield f"all others: {dict(rest)}"


def plants(text: Text) -> dict[str, tuple[str, np.ndarray]]:
    """Planted neurons: what each is, and where it is active."""
    rng, ids = np.random.default_rng(0), text.token_ids
    order = [np.argsort(-grams.occurrences.sum(0), kind="stable") for grams in text.grams]
    position = np.arange(ids.shape[1])[None]
    types = text.grams[0].tokens[order[0], 0]
    second = text.min_position + 32
    inside = (position >= second) & (position < second + 32)

    def gram(n: int, rank: int) -> np.ndarray:
        return text.grams[n - 1].at == order[n - 1][rank]

    share = np.where(inside, 0.9, 0.1)
    return {
        "token": ("token_detector", ids == types[120]),
        "four tokens": ("token_detector", np.isin(ids, types[[90, 140, 160, 200]])),
        "very frequent token": ("token_detector", ids == types[1]),
        "bigram": ("bigram_detector", gram(2, 60)),
        "trigram": ("trigram_detector", gram(3, 30)),
        "leaky": ("other", (ids == types[100]) & (rng.random(ids.shape) < 0.8)),
        "positional": ("other positional", rng.random(ids.shape) < share),
        "dead": ("dead", np.zeros(ids.shape, dtype=bool)),
    }


def main() -> None:
    """Print planted kinds, agreement of lists and bounds, and kinds of all checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for part in (planted, lists_and_bounds, of_models):
        for line in part(asked.results):
            print(line, flush=True)


if __name__ == "__main__":
    main()
