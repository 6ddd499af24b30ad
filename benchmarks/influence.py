"""Influence of all final-layer neurons: the published loop, the exact and the certified engine, one run, same inputs.

Run ``python -m benchmarks.influence [--shape 70m|160m|410m|embedded] [--targets N] [--median 1e-3]``; CPU seconds, one
thread. The loop is the published code's arithmetic (one unembedding and log-softmax per neuron, batched over targets)
without its pandas, timed on a seeded sample of neurons and targets and scaled; its linearity is printed.
"""

from __future__ import annotations

import argparse
import platform
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import transformers

from benchmarks.influence_inputs import N_ENTROPY_NEURONS, SHAPES, Shape, synthetic_inputs
from rare_neurons.models.influence.inputs import EngineSettings, PassInputs
from rare_neurons.models.influence.panel_pass import SlabPass, measure_panel
from rare_neurons.models.influence.plan import Plan, make_plan
from rare_neurons.models.recorders.behaviour import BehaviourRows

SETTINGS = {"tolerance": 1e-7, "tolerance_se": 0.1}
CERTIFIED = EngineSettings(engine="certified", memory_gb=4.0, **SETTINGS)


def cpu_seconds(work: Callable[[], object], repeats: int = 1) -> np.ndarray:
    """CPU seconds of each repeat."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return np.array(taken)


def loop_seconds(inputs: PassInputs, neurons: np.ndarray, targets: np.ndarray) -> float:
    """The published way: for each neuron, norm, unembed and log-softmax all targets."""
    readout, W_out = inputs.readout, inputs.block.W_out.float()
    W_U, b = readout.A.float().T.contiguous(), readout.b.float()
    captured = inputs.captured
    residual = captured.residual[targets]
    delta = captured.activation_mean.float() - captured.activations[targets]
    column = inputs.vocabulary.column[torch.from_numpy(inputs.panel.target_id[targets])]

    def loss(x: torch.Tensor) -> torch.Tensor:
        normed = torch.nn.functional.layer_norm(x, x.shape[-1:], eps=readout.norm.eps)
        return torch.nn.functional.cross_entropy(normed @ W_U + b, column, reduction="none")

    def work() -> None:
        base = loss(residual)
        for i in neurons:
            (loss(residual + delta[:, i, None] * W_out[i]) - base).mean()

    return float(cpu_seconds(work)[0])


def forward_seconds(shape: Shape, n_targets: int) -> float:
    """A GPT-NeoX of the shape over the same number of tokens, contexts of 512, logits included."""
    config = transformers.GPTNeoXConfig(
        vocab_size=shape.vocab,
        hidden_size=shape.d_model,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.neurons,
    )
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    token_ids = torch.randint(shape.vocab, (max(1, n_targets // 512), 512), generator=torch.Generator().manual_seed(0))

    def work() -> None:
        with torch.inference_mode():
            for batch in token_ids.split(4):
                model(input_ids=batch, use_cache=False)

    work_on_one = token_ids[:1]
    with torch.inference_mode():
        model(input_ids=work_on_one, use_cache=False)
    return float(cpu_seconds(work)[0]) * n_targets / token_ids.numel()


def floor_seconds(shape: Shape, n_targets: int, plan: Plan, n_classes: int) -> tuple[float, float]:
    """Operations of the products that are needed, over the rate of each dtype's product measured now.

    The first in the engine's own precisions; the second physical: U² in the plan's, all others in float32.
    """
    V, d, N = shape.vocab, shape.d_model, shape.neurons
    dtypes = {torch.float64, torch.float32, plan.gradient_dtype, plan.product_dtype}
    rate = {dtype: _rate(min(V, 2048), d, N, dtype) for dtype in dtypes}
    found = []
    for fine, gradient in ((torch.float64, plan.gradient_dtype), (torch.float32, torch.float32)):
        # z; Σ p A; products [pos, d] x [d, neuron]: c(r)w, U_y and Σ p U of every class; Σ p U²
        per_target = (2 * V * d + (2 + n_classes) * 2 * d * N) / rate[fine] + 2 * V * d / rate[gradient]
        per_target += 2 * V * N / rate[plan.product_dtype]
        found.append(per_target * n_targets + 2 * V * d * N / rate[fine])
    return found[0], found[1]


def _rate(K: int, d: int, N: int, dtype: torch.dtype) -> float:
    """Operations per CPU second of a product [512, K] x [K, columns]."""
    columns = d if dtype != torch.bfloat16 else N
    a, b = torch.randn(512, K).to(dtype), torch.randn(K, columns).to(dtype)
    a @ b
    return 2 * 512 * K * columns / float(np.median(cpu_seconds(lambda: a @ b, 5)))


class PeakMemory:
    """Largest resident memory above the start's, sampled every 5 ms, in 10^9 bytes."""

    def __enter__(self) -> PeakMemory:
        self.start, self.peak, self._stop = self._resident(), 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.005):
            self.peak = max(self.peak, self._resident() - self.start)

    @staticmethod
    def _resident() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e9


def check_pairs(inputs: PassInputs, n_pairs: int) -> dict[str, float]:
    """Largest error of single pairs against float64, and of error minus its bound (negative: none violated)."""
    certified, exact = (
        _slab_pass(inputs, EngineSettings(engine=engine, memory_gb=16.0, **SETTINGS))
        for engine in ("certified", "exact")
    )
    rows_each, worst = -(-n_pairs // (3 * len(inputs.block.W_out))), {"pairs": 0.0, "error": 0.0, "excess": -np.inf}
    done: set[int] = set()
    for stratum, own_class, rows in certified.blocks():
        if stratum in done:
            continue
        done.add(stratum)
        few = rows[:rows_each]
        ours, truth = (
            certified.measure(stratum, own_class, rows).effects,
            exact.measure(stratum, own_class, few).effects,
        )
        for name in ("total", "within"):
            error = (getattr(ours, name)[: len(few)] - getattr(truth, name)).abs()
            bound = (ours.truncation + ours.rounding)[: len(few)]
            worst["excess"] = max(worst["excess"], float((error - bound).max()))
            worst["error"] = max(worst["error"], float(error.max()))
        worst["pairs"] += truth.total.numel()
    return worst


def run(name: str, n_targets: int, median: float, repeats: int) -> None:
    """Measure one shape and print it."""
    shape, rng = SHAPES[name], np.random.default_rng(7)
    sizes = (n_targets // 4, n_targets // 2, n_targets)
    inputs = {n: synthetic_inputs(shape, n, seed=11, median_abs_influence=median) for n in sizes}
    full = inputs[n_targets]
    print(f"\n{name}: vocabulary {shape.vocab}, d {shape.d_model}, {shape.neurons} neurons, {n_targets} targets")

    neurons = rng.choice(np.arange(N_ENTROPY_NEURONS, shape.neurons), 16, replace=False)
    targets = rng.choice(n_targets, 256, replace=False)
    loop_seconds(full, neurons[:2], targets[:64])
    grid = {(i, t): loop_seconds(full, neurons[:i], targets[:t]) for i in (8, 16) for t in (128, 256)}
    per_pair = {key: value / (key[0] * key[1]) for key, value in grid.items()}
    loop = np.array(list(per_pair.values())) * shape.neurons * n_targets
    print("(a) loop, ms per pair at (neurons, targets): ", {k: round(v * 1e3, 3) for k, v in per_pair.items()})

    exact = np.array([_exact_seconds(full, t) for t in (2, 4)]) * n_targets
    prepared = cpu_seconds(lambda: _slab_pass(full, CERTIFIED))[0]
    results, rounds = {}, {"certified": [], "forward": [], "floor": []}
    with PeakMemory() as memory:
        for _ in range(repeats):  # side by side, so that a busy machine slows all three
            few = min(n_targets, 1024)
            rounds["forward"].append(forward_seconds(shape, few) * n_targets / few)
            rounds["certified"].append(cpu_seconds(lambda: results.update(_certified(full)))[0])
            n_classes = len(full.vocabulary.slices)
            rounds["floor"].append(floor_seconds(shape, n_targets, make_plan(full, CERTIFIED), n_classes))
    taken, forward = (np.array(rounds[name]) for name in ("certified", "forward"))
    floor, physical = np.array(rounds["floor"]).T
    _report(taken, {"loop": loop, "exact": exact}, {"forward": forward, "floor": floor, "physical floor": physical})
    long_run = ((taken - prepared) / n_targets + prepared / 24_000) / (forward / n_targets)
    print(
        f"    certified / forward with 24,000 targets: {np.median(long_run):.2f} "
        f"({long_run.min():.2f}-{long_run.max():.2f})"
    )
    everything = {n: float(cpu_seconds(lambda n=n: _certified(inputs[n]))[0]) for n in sizes[:-1]}
    everything[n_targets] = float(np.median(taken))
    print(
        "    ms per target without preparation:",
        {n: round(float(s - prepared) / n * 1e3, 2) for n, s in everything.items()},
        f"preparation {prepared:.1f} s; peak memory {memory.peak:.2f} GB above the inputs",
    )
    _report_accuracy(results, check_pairs(full, 50_000))


def _slab_pass(inputs: PassInputs, settings: EngineSettings) -> SlabPass:
    return SlabPass(inputs, slice(None), make_plan(inputs, settings), settings)


def _certified(inputs: PassInputs) -> dict[str, np.ndarray]:
    behaviour = BehaviourRows(len(inputs.panel.context))
    return measure_panel(inputs, CERTIFIED, recorders=(behaviour,)) | behaviour.finish()


def _exact_seconds(inputs: PassInputs, n_targets: int) -> float:
    """CPU seconds per target of the exact engine, its projection of the directions left out."""
    exact = _slab_pass(inputs, EngineSettings(engine="exact", memory_gb=16.0, **SETTINGS))
    stratum, own_class, rows = next(iter(exact.blocks()))
    return float(cpu_seconds(lambda: exact.measure(stratum, own_class, rows[:n_targets]))[0]) / n_targets


def _report(certified: np.ndarray, slower: dict[str, np.ndarray], paired: dict[str, np.ndarray]) -> None:
    print(f"(c) certified: {np.median(certified):.1f} s ({certified.min():.1f}-{certified.max():.1f})")
    for letter, (name, seconds) in zip("abdef", {**slower, **paired}.items(), strict=True):
        if name in slower:
            ratio, label = (seconds[:, None] / certified[None, :]).ravel(), f"{name} / certified"
        else:
            ratio, label = certified / seconds, f"certified / {name}"
        print(
            f"({letter}) {name}: {np.median(seconds):.1f} s; {label} = {np.median(ratio):.3g} "
            f"({ratio.min():.3g}-{ratio.max():.3g})"
        )


def _report_accuracy(results: dict[str, np.ndarray], pairs: dict[str, float]) -> None:
    bound = results["truncation_bound"] + results["rounding_bound"]
    tolerance = np.maximum(SETTINGS["tolerance"], SETTINGS["tolerance_se"] * results["influence_se"])
    print(
        f"    mean entropy {np.nanmean(results['entropy']):.2f} nats; median abs_influence "
        f"{np.nanmedian(results['abs_influence']):.2g}; exact pairs {np.nanmean(results['exact_fraction']):.3%} "
        f"(entropy neurons {np.nanmean(results['exact_fraction'][:, :N_ENTROPY_NEURONS]):.2%})"
    )
    print(
        f"    median bound: truncation {np.nanmedian(results['truncation_bound']):.1e}, rounding "
        f"{np.nanmedian(results['rounding_bound']):.1e}; largest bound / tolerance {np.nanmax(bound / tolerance):.2f}; "
        f"signs within their bound {np.nanmean(np.abs(results['influence']) < bound):.2%}"
    )
    print(
        f"    {pairs['pairs']:.0f} pairs against float64: largest error {pairs['error']:.1e}, largest less its bound "
        f"{pairs['excess']:.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="70m")
    parser.add_argument("--targets", type=int, default=4096)
    parser.add_argument("--median", type=float, default=1e-3, help="median abs_influence of the neurons, nats")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(platform.processor() or platform.machine(), {p: version(p) for p in ("torch", "transformers", "numpy")})
    run(arguments.shape, arguments.targets, arguments.median, arguments.repeats)


if __name__ == "__main__":
    main()
