"""Effects of the embedded model target by target: the noise that the calibration of evidence is drawn from.

Run with `python -m benchmarks.calibration.evidence_measure results noise.npz [run] [step]` on a finished default demo.
For each stratum the file holds the document and the token type of every target, the within-stratum influence of every
neuron on it and the loss at every checkpoint. Influence is the cumulant expansion to third order (two orders in the
change of the norm), which is near enough for variances and correlations.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from transformers import AutoModelForCausalLM

STRATA = ("common", "rare")
STEPS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)


def read_panel(results):
    """Token ids [context, position], targets (context, position, id, stratum) and each target's document."""
    contexts = pq.read_table(results / "panel/heldout/contexts.parquet")
    targets = pq.read_table(results / "panel/heldout/targets.parquet")
    ids = np.array(contexts["token_ids"].to_pylist(), dtype=np.int32)
    context, position, target = (np.array(targets[name]) for name in ("context", "position", "target_id"))
    stratum = np.array(targets["stratum"].to_pylist())
    return ids, context, position, target, stratum, np.array(targets["document"])


def run_model(results, name, step, ids):
    """Last layer's activations and residuals [context, position, ...] with the weights that turn them into logits."""
    model = AutoModelForCausalLM.from_pretrained(results / f"pretrain/{name}/step{step}", dtype=torch.float32).eval()
    seen, parts = {}, ([], [])
    layer, norm = model.gpt_neox.layers[-1], model.gpt_neox.final_layer_norm
    layer.mlp.dense_4h_to_h.register_forward_pre_hook(lambda module, given: seen.__setitem__("a", given[0]))
    norm.register_forward_pre_hook(lambda module, given: seen.__setitem__("r", given[0]))
    with torch.inference_mode():
        for block in torch.as_tensor(ids, dtype=torch.long).split(64):
            model.gpt_neox(input_ids=block)
            parts[0].append(seen["a"])
            parts[1].append(seen["r"])
    unembedding = model.get_output_embeddings().weight.detach().double()
    scaled = unembedding * norm.weight.detach().double()
    return {
        "activations": torch.cat(parts[0]).double(),
        "residuals": torch.cat(parts[1]).double(),
        "out": layer.mlp.dense_4h_to_h.weight.detach().double().T,
        "logits": scaled - scaled.mean(1, keepdim=True),
        "bias": unembedding @ norm.bias.detach().double(),
        "eps": norm.eps,
    }


def losses(model, context, position, target):
    """Cross entropy of the targets in nats."""
    rest = model["residuals"][context, position]
    rest = rest - rest.mean(1, keepdim=True)
    scale = (rest.square().mean(1, keepdim=True) + model["eps"]).rsqrt()
    out = []
    for rows in torch.arange(len(target)).split(2000):
        log_p = torch.log_softmax((rest[rows] @ model["logits"].T) * scale[rows] + model["bias"], 1)
        out.append(-log_p[torch.arange(len(rows)), torch.as_tensor(target[rows.numpy()], dtype=torch.long)])
    return torch.cat(out).numpy()


def within_influence(model, context, position, target, vocabulary):
    """Within-stratum change of loss [target, neuron] when a neuron's activation becomes its mean."""
    mean = model["activations"][:, 16:127].flatten(0, 1).mean(0)
    delta = mean - model["activations"][context, position]
    rest = model["residuals"][context, position]
    rest = rest - rest.mean(1, keepdim=True)
    write = model["out"] - model["out"].mean(1, keepdim=True)
    logits, bias, width = model["logits"][vocabulary], model["bias"][vocabulary], rest.shape[1]
    own = torch.as_tensor(np.searchsorted(vocabulary, target), dtype=torch.long)
    push = logits @ write.T
    norms, powers = write.square().sum(1), [push.float().pow(k) for k in (2, 3)]
    out = []
    for rows in torch.arange(len(target)).split(1000):
        r, d = rest[rows], delta[rows]
        before = r.square().mean(1, keepdim=True) + model["eps"]
        after = (before + (2 * d * (r @ write.T) + d.square() * norms) / width).rsqrt()
        shift, gain = after - before.rsqrt(), after * d
        raw = r @ logits.T
        p = torch.softmax(raw * before.rsqrt() + bias, 1)
        z = raw - (p * raw).sum(1, keepdim=True)
        one = p @ push
        two, three = ((p.float() @ power).double() for power in powers)
        variance = two - one.square()
        cross, spread = (p * z) @ push, (p * z * z).sum(1, keepdim=True)
        f = shift * z.gather(1, own[rows, None]) + gain * (push[own[rows]] - one)
        second = gain.square() * variance + 2 * shift * gain * cross + shift.square() * spread
        third = gain.pow(3) * (three - 3 * one * two + 2 * one.pow(3))
        out.append((second / 2 + third / 6 - f).float())
    return torch.cat(out).numpy()


def main():
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("run", nargs="?", default="embedded-seed0")
    parser.add_argument("step", nargs="?", type=int, default=1000)
    given = parser.parse_args()
    torch.set_num_threads(1)
    ids, context, position, target, stratum, document = read_panel(given.results)
    limits = pq.read_table(given.results / "panel/heldout/strata.parquet").to_pandas().set_index("stratum")
    counts = pq.read_table(given.results / "corpus/stdlib/stdlib-2048/unigram.parquet")["count"].to_numpy()
    store, loss = {}, []
    for step in STEPS:
        model = run_model(given.results, given.run, step, ids)
        loss.append(losses(model, context, position, target))
        if step == given.step:
            for name in STRATA:
                own = np.flatnonzero(stratum == name)
                low, high = limits.loc[name, ["smallest_count", "largest_count"]]
                vocabulary = np.flatnonzero((counts >= max(low, 1)) & (counts <= high))
                values = within_influence(model, context[own], position[own], target[own], vocabulary)
                store |= {f"{name}_influence": values, f"{name}_document": document[own], f"{name}_type": target[own]}
                print(f"{name}: rms of the mean influence {np.sqrt((values.mean(0) ** 2).mean()):.3g} nats")
    for name in STRATA:
        store[f"{name}_loss"] = np.array(loss)[:, stratum == name].astype(np.float32)
    np.savez(given.out, **store)


if __name__ == "__main__":
    main()
