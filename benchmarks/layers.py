"""Influence of every neuron of every layer: exact ablation one by one, and our estimator, one process, same contexts.

Run ``python -m benchmarks.layers [--shape embedded|70m|160m ...] [--contexts 2]``; CPU seconds, one thread. Random
weights of Pythia's shapes, which cost what trained ones cost. Exact ablation is timed on a seeded sample of neurons of
the first, the middle and the last layer, only the later layers computed again, and scaled to all neurons by a straight
line between these layers; the estimator whole. A forward pass is the blocks and the readout at the targets.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

from benchmarks.influence_inputs import SHAPES, Shape
from rare_neurons.api.options import LAYERS
from rare_neurons.models.layers.audit import ablate
from rare_neurons.models.layers.batch import Batch, PassSettings
from rare_neurons.models.layers.blocks import Blocks, full_precision_products
from rare_neurons.models.layers.draws import Sample, draw_sample
from rare_neurons.models.layers.estimate import estimate, mean_activation
from rare_neurons.models.layers.losses import LossReadout
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.grid.folds import N_FOLDS

LENGTH, TARGETS, STRATA = 256, 8, ("common", "rare")
N_TOP, N_RANDOM = LAYERS["n_top"], LAYERS["n_random"]  # the default audit
WAYS = {
    "4 losses, halves not told apart": PassSettings(0.01, 2, 0, 0, halves=False),
    "4 losses, halves told apart": PassSettings(0.01, 2, 0, 0),
}


def random_model(shape: Shape) -> GPTNeoXForCausalLM:
    """Make a GPT-NeoX of the shape with random weights."""
    torch.manual_seed(0)
    config = GPTNeoXConfig(
        vocab_size=shape.vocab,
        hidden_size=shape.d_model,
        intermediate_size=shape.neurons,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=LENGTH,
    )
    return GPTNeoXForCausalLM(config).eval()


def random_panel(vocab: int, n_contexts: int) -> PanelArrays:
    """Zipfian contexts with as many targets of each of two strata as a panel has."""
    rng = np.random.default_rng(0)
    p = 1.0 / np.arange(1, vocab + 1)
    token_ids = rng.choice(vocab, p=p / p.sum(), size=(n_contexts, LENGTH))
    position = np.sort(np.stack([16 + rng.permutation(LENGTH - 18)[:TARGETS] for _ in range(n_contexts)]))
    context = np.repeat(np.arange(n_contexts), TARGETS)
    stratum = np.tile([0, 1], n_contexts * TARGETS // 2)
    vocab_stratum = (np.arange(vocab) >= vocab // 20).astype(np.int64)
    target_id = np.where(
        stratum == 0, rng.integers(0, vocab // 20, len(stratum)), rng.integers(vocab // 20, vocab, len(stratum))
    )
    token_ids[context, position.ravel() + 1] = target_id
    target_id = token_ids[context, position.ravel() + 1]
    return PanelArrays(
        token_ids=token_ids,
        fold=np.arange(n_contexts) % N_FOLDS,
        context=context,
        position=position.ravel(),
        target_id=target_id,
        document=context,
        type_bin=target_id % N_FOLDS,
        stratum=vocab_stratum[target_id],
        strata=STRATA,
        vocab_stratum=vocab_stratum,
        log_unigram=np.log(p / p.sum()),
        min_position=16,
    )


def seconds(work: Callable[[], object], repeats: int) -> np.ndarray:
    """CPU seconds of each repeat."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return np.array(taken)


def run(name: str, n_contexts: int, n_neurons: int, repeats: int) -> None:
    """Print one shape's lines."""
    shape = SHAPES[name]
    model, panel = random_model(shape), random_panel(shape.vocab, n_contexts)
    blocks, readout = Blocks(model), LossReadout(model, panel.vocab_stratum, n_strata=len(STRATA))
    sample = draw_sample(panel, STRATA, None, seed=0)
    means = mean_activation(blocks, sample, batch_size=n_contexts)
    place = (blocks, readout, sample, means)
    _forward(*place)  # first calls set things up
    forward = seconds(lambda: _forward(*place), 3 * repeats)
    backward = seconds(lambda: _backward(*place), repeats)
    one = float(np.median(forward))
    print(f"\n{name}: {n_contexts} contexts of {LENGTH} tokens, {len(sample.context)} targets in {len(STRATA)} strata")
    print(
        f"forward pass {_range(forward)} s; with a graph and one backward pass {_range(backward / one)} forward passes"
    )
    of_layer = exact_seconds(place, shape, n_neurons, repeats)
    exact = np.array([_all_neurons(shape, of_layer[:, k]) for k in range(of_layer.shape[1])])
    at = ", ".join(f"layer {k} {np.median(row) / one:.2f}" for k, row in zip(_layers(shape), of_layer, strict=True))
    print(f"exact ablation, forward passes a neuron: {at}; of all {shape.layers * shape.neurons}: {_range(exact)} s")
    audit = audit_seconds(place, shape, n_neurons)
    print(f"audit of {N_TOP + N_RANDOM} neurons a layer: {audit / one:.0f} forward passes")
    print(
        "| estimator | forward passes | exact / estimator | exact / estimator with audit |\n| --- | --- | --- | --- |"
    )
    for way, settings in WAYS.items():
        taken = seconds(lambda s=settings: _estimator(*place[:3], s), repeats)
        ratios = [(exact[:, None] / (taken + more)[None]).ravel() for more in (0.0, audit)]
        print(f"| {way} | {_range(taken / one)} | " + " | ".join(_range(ratio) for ratio in ratios) + " |", flush=True)
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def _range(values: np.ndarray) -> str:
    return f"{np.median(values):.3g} ({np.min(values):.3g}-{np.max(values):.3g})"


def _layers(shape: Shape) -> list[int]:
    return [0, shape.layers // 2, shape.layers - 1]


def _forward(blocks: Blocks, readout: LossReadout, sample: Sample, _means: torch.Tensor) -> None:
    with torch.no_grad():
        final = blocks.model.base_model(input_ids=torch.from_numpy(sample.token_ids), use_cache=False)[0]
        logits = readout.head(final[sample.context, sample.position])
        readout.losses_of_logits(logits, torch.from_numpy(sample.target_id))


def _backward(blocks: Blocks, readout: LossReadout, sample: Sample, means: torch.Tensor) -> None:
    batch = Batch(blocks, readout, sample, slice(0, len(sample)), np.arange(len(sample.context)), means)
    batch.effects(batch.base, np.ones(len(batch.rows), dtype=bool), batch.deltas, losses=slice(1))


def _estimator(blocks: Blocks, readout: LossReadout, sample: Sample, settings: PassSettings) -> None:
    means = mean_activation(blocks, sample, batch_size=len(sample))
    estimate(blocks, readout, sample, means, settings, batch_size=len(sample))


def exact_seconds(place: tuple, shape: Shape, n_neurons: int, repeats: int) -> np.ndarray:
    """CPU seconds per neuron of the first, the middle and the last layer `[layer, repeat]`; the trace left out."""
    rng = np.random.default_rng(1)
    found = []
    for layer in _layers(shape):
        chosen = [np.zeros(0, dtype=np.int64)] * shape.layers
        none = seconds(lambda chosen=tuple(chosen): ablate(*place, chosen, batch_size=len(place[2])), repeats)
        chosen[layer] = np.sort(rng.permutation(shape.neurons)[:n_neurons])
        some = seconds(lambda chosen=tuple(chosen): ablate(*place, chosen, batch_size=len(place[2])), repeats)
        found.append((some - np.median(none)) / n_neurons)
    return np.array(found)


def _all_neurons(shape: Shape, of_layer: np.ndarray) -> float:
    return float(shape.neurons * np.interp(np.arange(shape.layers), _layers(shape), of_layer).sum())


def audit_seconds(place: tuple, shape: Shape, n_neurons: int) -> float:
    """CPU seconds of the default audit, from a part of its neurons in every layer."""
    few = min(n_neurons, N_TOP + N_RANDOM)
    none, some = (
        float(seconds(lambda k=k: ablate(*place, [np.arange(k)] * shape.layers, batch_size=len(place[2])), 1)[0])
        for k in (0, few)
    )
    return none + (some - none) * (N_TOP + N_RANDOM) / few


def main() -> None:
    """Run the shapes asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, nargs="+", default=["embedded", "70m", "160m"])
    parser.add_argument("--contexts", type=int, default=2)
    parser.add_argument("--neurons", type=int, default=2, help="ablated in each timed layer")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print({package: version(package) for package in ("torch", "transformers", "numpy")})
    with full_precision_products():
        for name in arguments.shape:
            run(name, arguments.contexts, arguments.neurons, arguments.repeats)


if __name__ == "__main__":
    main()
