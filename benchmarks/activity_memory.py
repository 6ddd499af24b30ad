"""Memory and time of an activity pass at the shapes of a published model, random weights.

Run ``python -m benchmarks.activity_memory`` (shapes of pythia-410m, eight contexts of 1,024 tokens: some five
CPU-minutes). Sizes of the counts follow from layers, neurons and the length of a context, not from their number; lists
are bounded by `counting.MOST_ENTRIES`, 6 bytes an entry.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import torch
from transformers import AutoModelForCausalLM, GPTNeoXConfig

from benchmarks.influence_inputs import SHAPES
from rare_neurons.models.activity.activity_pass import run_activity
from rare_neurons.models.activity.counting import MOST_ENTRIES
from rare_neurons.models.activity.reading import choose_contexts, choose_rows
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.grid.folds import N_FOLDS


def random_panel(vocab: int, n_contexts: int, length: int) -> PanelArrays:
    """Zipfian ids, a document for each context."""
    rng = np.random.default_rng(0)
    p = 1 / np.arange(3, vocab + 3)
    token_ids = rng.choice(vocab, size=(n_contexts, length), p=p / p.sum())
    context = np.repeat(np.arange(n_contexts), length - 17)
    position = np.tile(np.arange(16, length - 1), n_contexts)
    target = token_ids[context, position + 1]
    stratum = np.digitize(np.cumsum(p / p.sum()), [0.5, 0.9])
    fold = np.arange(n_contexts) * N_FOLDS // n_contexts
    labels = {"document": context, "type_bin": target % N_FOLDS, "stratum": stratum[target]}
    names = ("common", "mid", "rare")
    return PanelArrays(
        token_ids, fold, context, position, target, **labels, strata=names, vocab_stratum=stratum,
        log_unigram=np.log(p / p.sum()), min_position=16,
    )  # fmt: skip


def main() -> None:
    """Print peak memory, and the pass's time over that of the forward pass alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, default="410m")
    parser.add_argument("--contexts", type=int, default=8)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=4)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    shape = SHAPES[asked.shape]
    sizes = {"hidden_size": shape.d_model, "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads}
    config = GPTNeoXConfig(vocab_size=shape.vocab, intermediate_size=shape.neurons, **sizes)
    model = AutoModelForCausalLM.from_config(config).eval()
    panel = random_panel(shape.vocab, asked.contexts, asked.length)
    contexts = choose_contexts(panel.fold, 1.0)
    ids = torch.from_numpy(panel.token_ids)
    start = time.process_time()
    with torch.inference_mode():
        for k in range(0, len(ids), asked.batch):
            model.base_model(input_ids=ids[k : k + asked.batch], use_cache=False)
    forward, before = time.process_time() - start, _peak()
    rows = choose_rows(panel, contexts, most=1000)
    start = time.process_time()
    run = run_activity(model, panel, contexts, at=(rows.context, rows.position), batch_size=asked.batch)
    taken = time.process_time() - start
    entries = sum(len(layer.positions) for layer in run.counts)
    print(f"forward {forward:.0f} s, activity {taken:.0f} s ({taken / forward:.2f} times), {len(rows.context)} rows")
    print(f"peak {before:.2f} GB with the forward pass alone, {_peak():.2f} GB with the activity pass")
    print(f"lists of {6 * entries / 1e9:.2f} GB; at their bound {6 * MOST_ENTRIES / 1e9:.2f} GB")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    main()
