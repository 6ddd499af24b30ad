"""Spectra against weightwatcher's ``analyze()``: CPU seconds, one BLAS thread, the same matrices, one run.

Run ``python -m benchmarks.spectra`` (about two CPU-minutes). Absolute times say little; the ratios are the result.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from rare_neurons.numerics.spectra.options import SpectrumOptions
from rare_neurons.numerics.spectra.spectrum import Spectrum, measure_spectrum
from rare_neurons.numerics.spectra.weightwatcher_engine import quiet

SHAPES = {"qkv": (1536, 512), "attention_out": (512, 512), "mlp_in": (2048, 512), "mlp_out": (512, 2048)}
LAYERS = 6  # pythia-70m; its embeddings (50304 x 512) are skipped by weightwatcher's default max_N = 50000
PLAIN = {"shuffles": 0, "farms_windows": 0, "refits": 0, "gof_refits": 0, "likelihood_ratios": False}


def matrices(kind: str, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Weights of the shapes of one model: as initialised, or with a heavy tail of singular values planted on that."""
    rng = np.random.default_rng(seed)
    weights = {}
    for layer in range(LAYERS):
        for name, (rows, cols) in SHAPES.items():
            noise = 0.02 * rng.standard_normal((rows, cols))
            if kind == "heavy":
                noise *= np.sqrt(rng.random(cols) ** (-1 / 2.0))  # column variances of exponent 3
            weights[f"layer{layer}_{name}"] = noise.astype(np.float32)
    return weights


def analyze(weights: dict[str, NDArray[np.float32]]) -> Callable[[], dict[str, float]]:
    """weightwatcher's own call on linear layers that hold these weights."""
    with quiet():
        import torch
        import weightwatcher

    layers = {}
    for name, matrix in weights.items():
        layers[name] = torch.nn.Linear(matrix.shape[1], matrix.shape[0], bias=False)
        layers[name].weight.data = torch.from_numpy(matrix)
    model = torch.nn.ModuleDict(layers)
    logging.getLogger("weightwatcher").setLevel(logging.ERROR)

    def run() -> dict[str, float]:
        with contextlib.redirect_stdout(io.StringIO()), quiet():
            details = weightwatcher.WeightWatcher(model=model).analyze()
        return dict(zip(details["longname"], details["alpha"], strict=True))

    return run


def cpu_seconds(call: Callable[[], object]) -> tuple[float, object]:
    """CPU seconds of one call and what it returned."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def main() -> None:
    """Print one table of ratios, median and range over the repeats."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    matrices_each = LAYERS * len(SHAPES)
    print(
        f"weightwatcher {version('weightwatcher')}, numpy {np.__version__}; {repeats} repeats, {matrices_each} matrices"
    )
    print("\n| weights | weightwatcher analyze() | ours, plain | ours with 200 refits | largest difference of alpha |")
    print("| --- | --- | --- | --- | --- |")
    with threadpool_limits(1):
        for kind in ("initialised", "heavy"):
            print(_compare(kind, repeats), flush=True)


def _compare(kind: str, repeats: int) -> str:
    weights = matrices(kind)
    peer = analyze(weights)
    peer(), _ours(weights, refits=1)  # imports and first calls are not measured
    seconds, plain, banded, gap = [], [], [], 0.0
    for _ in range(repeats):  # interleaved, so that a busy machine slows all alike
        peer_time, alphas = cpu_seconds(peer)
        plain_time, rows = cpu_seconds(lambda: _ours(weights, refits=0))
        banded_time, _ = cpu_seconds(lambda: _ours(weights, refits=200))
        seconds.append(peer_time)
        plain.append(plain_time / peer_time)
        banded.append(banded_time / peer_time)
        gap = max(abs(rows[name].alpha - alphas[name]) for name in weights)
    return f"| {kind} | {np.median(seconds):.1f} s | {_ratio(plain)} | {_ratio(banded)} | {gap:.1e} |"


def _ours(weights: dict[str, NDArray[np.float32]], *, refits: int) -> dict[str, Spectrum]:
    options = SpectrumOptions(**PLAIN | {"refits": refits})
    return {name: measure_spectrum(matrix, options) for name, matrix in weights.items()}


def _ratio(values: list[float]) -> str:
    return f"{np.median(values):.2f}x ({min(values):.2f}-{max(values):.2f})"


if __name__ == "__main__":
    main()
