"""Spectra against weightwatcher's ``analyze()``: CPU seconds, one BLAS thread, the same matrices, one run.

Run ``python -m benchmarks.spectra [--shape 70m|410m|embedding]`` (about two CPU-minutes). Absolute times say little;
the ratios are the result. weightwatcher leaves an embedding of 50,304 rows out: there the arithmetic, one Gram matrix
in float64 and its eigenvalues, is what ours is compared with.
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

from rare_neurons.numerics.integrity.fingerprint import fingerprint_tensor
from rare_neurons.numerics.spectra.options import SpectrumOptions
from rare_neurons.numerics.spectra.spectrum import Spectrum, measure_spectrum
from rare_neurons.numerics.spectra.weightwatcher_engine import quiet
from tools.configuration import read_yaml

WIDTHS, LAYERS = {"70m": 512, "410m": 1024}, {"70m": 6, "410m": 2}  # of 410m's 24 layers two, all alike
EMBEDDING = (50304, 512)
PLAIN = {"shuffles": 0, "farms_windows": 0, "refits": 0, "gof_refits": 0, "likelihood_ratios": False}


def shapes(d: int) -> dict[str, tuple[int, int]]:
    """Matrices of one block of width d."""
    return {"qkv": (3 * d, d), "attention_out": (d, d), "mlp_in": (4 * d, d), "mlp_out": (d, 4 * d)}


def matrices(model: str, kind: str, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Weights of the shapes of one model: as initialised, or with a heavy tail of singular values planted on that."""
    rng = np.random.default_rng(seed)
    weights = {}
    for layer in range(LAYERS[model]):
        for name, (rows, cols) in shapes(WIDTHS[model]).items():
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
    parser.add_argument("--shape", choices=(*WIDTHS, "embedding"), default="70m")
    arguments = parser.parse_args()
    versions = f"weightwatcher {version('weightwatcher')}, numpy {np.__version__}"
    print(f"{arguments.shape}: {versions}; {arguments.repeats} repeats")
    with threadpool_limits(1):
        if arguments.shape == "embedding":
            print(_embedding(arguments.repeats))
            return
        print("\n| weights | weightwatcher | ours, plain | with 200 refits | default | largest difference of alpha |")
        print("| --- | --- | --- | --- | --- | --- |")
        for kind in ("initialised", "heavy"):
            print(_compare(arguments.shape, kind, arguments.repeats), flush=True)


def _compare(model: str, kind: str, repeats: int) -> str:
    weights = matrices(model, kind)
    peer = analyze(weights)
    choices = {"plain": _plain(), "banded": _plain(refits=200), "default": default_options()}
    peer(), _ours(weights, _plain(refits=1))  # imports and first calls are not measured
    seconds, gap, ratios = [], 0.0, {name: [] for name in choices}
    for _ in range(repeats):  # interleaved, so that a busy machine slows all alike
        peer_time, alphas = cpu_seconds(peer)
        seconds.append(peer_time)
        for name, options in choices.items():
            taken, rows = cpu_seconds(lambda options=options: _ours(weights, options))
            ratios[name].append(taken / peer_time)
        gap = max(abs(rows[name].alpha - alphas[name]) for name in weights)
    columns = " | ".join(_ratio(values) for values in ratios.values())
    return f"| {kind} | {np.median(seconds):.1f} s | {columns} | {gap:.1e} |"


def _embedding(repeats: int) -> str:
    weights = (0.02 * np.random.default_rng(0).standard_normal(EMBEDDING)).astype(np.float32)
    wide = weights.astype(np.float64)
    works: dict[str, Callable[[], object]] = {
        "Gram matrix and eigenvalues": lambda: np.linalg.eigvalsh(wide.T @ wide),
        "plain": lambda: measure_spectrum(weights, _plain()),
        "default without shuffles": lambda: measure_spectrum(weights, SpectrumOptions(shuffles=0)),
        "default": lambda: measure_spectrum(weights, default_options()),
        "fingerprint": lambda: fingerprint_tensor("embedding", weights),
    }
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            taken[name].append(cpu_seconds(work)[0])
    return "\n".join(
        f"{name}: {np.median(values):.2f} s ({min(values):.2f}-{max(values):.2f})" for name, values in taken.items()
    )


def default_options() -> SpectrumOptions:
    """What a run has that changes none of them: those of config/analysis.yaml."""
    return SpectrumOptions(**{k: v for k, v in read_yaml("config/analysis.yaml")["spectra"].items() if k != "engine"})


def _plain(**changed: int) -> SpectrumOptions:
    return SpectrumOptions(**PLAIN | changed)


def _ours(weights: dict[str, NDArray[np.float32]], options: SpectrumOptions) -> dict[str, Spectrum]:
    return {name: measure_spectrum(matrix, options) for name, matrix in weights.items()}


def _ratio(values: list[float]) -> str:
    return f"{np.median(values):.2f}x ({min(values):.2f}-{max(values):.2f})"


if __name__ == "__main__":
    main()
