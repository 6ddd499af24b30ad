"""Peak memory of probing one checkpoint on the processor, in a process of its own.

Run with `python -m benchmarks.memory [--layers 24] [--memory-gb 2]`: random weights of pythia-410m's shape, stored in
float16, computed in float32. The peak is the process's largest resident set, interpreter and libraries included.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CHILD = """
import json, re, sys, time
import numpy as np, torch
from rare_neurons.models.loading import load_model
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.models.influence.probe import EngineSettings, probe_model

folder, memory_gb, n_targets, probe = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "probe"
torch.set_num_threads(1)

def peak():
    # Not ru_maxrss: a child inherits that of its parent.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024

found = {"libraries": peak()}
start = time.process_time()
model = load_model(folder, dtype=torch.float32)
found |= {"weights": sum(p.nbytes for p in model.parameters()), "loading": peak()}
found["seconds"] = time.process_time() - start
if probe:
    rng, vocab, length = np.random.default_rng(0), model.config.vocab_size, 128
    token_ids = rng.integers(0, vocab, size=(n_targets // 32, length))
    context = np.repeat(np.arange(len(token_ids)), 32)
    position = np.tile(np.arange(32, 96, 2), len(token_ids))
    target = token_ids[context, position + 1]
    stratum = np.arange(vocab) * 3 // vocab
    p = 1 / np.arange(1, vocab + 1)
    panel = PanelArrays(
        token_ids=token_ids, fold=np.arange(len(token_ids)) % 12, context=context, position=position,
        target_id=target, document=context, type_bin=target % 12, stratum=stratum[target],
        strata=("common", "mid", "rare"), vocab_stratum=stratum, log_unigram=np.log(p / p.sum()), min_position=16,
    )
    tolerance = dict(tolerance=1e-7, tolerance_se=0.1)
    settings = EngineSettings(engine="certified", **tolerance, memory_gb=memory_gb, placebo_draws=4)
    probe_model(model, panel, settings)
    found["probing"] = peak()
print(json.dumps(found))
"""


def save_random(folder: Path, n_layers: int) -> None:
    """Random weights in pythia-410m's shape, one float16 file."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    config = GPTNeoXConfig(
        vocab_size=50304,
        hidden_size=1024,
        num_hidden_layers=n_layers,
        num_attention_heads=16,
        intermediate_size=4096,
        max_position_embeddings=2048,
    )
    GPTNeoXForCausalLM(config).to(torch.float16).save_pretrained(folder, max_shard_size="10GB")


def main(n_layers: int, memory_gb: float, n_targets: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "step0"
        save_random(folder, n_layers)
        print("| | peak | beyond the libraries, in units of the float32 weights |\n| --- | --- | --- |")
        for what in ("loading", "probe"):
            command = [sys.executable, "-c", CHILD, str(folder), str(memory_gb), str(n_targets), what]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout)
            weights, libraries = found["weights"], found["libraries"]
            top = found["probing" if what == "probe" else "loading"]
            print(f"| {what} | {top / 1e9:.2f} GB | {(top - libraries) / weights:.2f} |")
        print(f"\nweights {weights / 1e9:.2f} GB, libraries {libraries / 1e9:.2f} GB, engine's budget {memory_gb} GB")
        print(f"1.3 times the weights plus the budget: {1.3 * weights / 1e9 + memory_gb:.2f} GB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--memory-gb", type=float, default=2.0)
    parser.add_argument("--targets", type=int, default=768)
    arguments = parser.parse_args()
    main(arguments.layers, arguments.memory_gb, arguments.targets)
