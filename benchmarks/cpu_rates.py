"""What one core does per CPU second: the rates that `benchmarks.cost_model` computes with."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from transformers import GPTNeoXConfig, GPTNeoXModel

from rare_neurons.numerics.integrity.fingerprint import fingerprint_tensor
from rare_neurons.numerics.organisation.matching import draw_matched_sets
from rare_neurons.numerics.organisation.set_spectra import measure_set_spectrum
from rare_neurons.numerics.spectra.options import SpectrumOptions
from rare_neurons.numerics.spectra.spectrum import measure_spectrum

WIDTH = 1024  # of the matrices that are timed; as wide as pythia-410m
TOKENS = (2, 1024)  # contexts and their length in the timed forward pass


@dataclass(frozen=True)
class Rates:
    """FLOP per second of products by precision, of a forward pass, of eigenvalues and of group spectra.

    `fits` is in seconds per eigenvalue of a matrix (refits, likelihood ratios), `shuffle` and `fingerprint` in seconds
    per entry.
    """

    float64: float
    float32: float
    bfloat16: float
    forward: float
    eigenvalues: float = float("nan")
    groups: float = float("nan")
    fits: float = float("nan")
    shuffle: float = float("nan")
    fingerprint: float = float("nan")

    def describe(self) -> str:
        """One sentence."""
        speeds = [f"{f.name} {getattr(self, f.name) / 1e9:.1f}" for f in fields(self)[:6]]
        per_entry = f"shuffle {self.shuffle * 1e9:.0f} and fingerprint {self.fingerprint * 1e9:.0f} ns per entry"
        more = f"fits {self.fits * 1e3:.2f} ms per eigenvalue, {per_entry}"
        return f"One core, GFLOP per CPU second: {', '.join(speeds)}; {more}."


def cpu_seconds(call: Callable[[], object], repeats: int = 3) -> float:
    """CPU seconds of the fastest repeat: other work on the machine only ever adds."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return min(found)


def measure_rates(spectra: Mapping[str, object], groups: Mapping[str, object]) -> Rates:
    """Measure on one thread with the given options of spectra and groups."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    with threadpool_limits(1):
        kinds = (torch.float64, torch.float32, torch.bfloat16)
        products = {str(kind).removeprefix("torch."): _product_rate(kind) for kind in kinds}
        gram = np.cov(rng.standard_normal((WIDTH, 4 * WIDTH)))
        eigenvalues = 4 / 3 * WIDTH**3 / cpu_seconds(lambda: np.linalg.eigvalsh(gram))
        return Rates(
            **products,
            forward=_forward_rate(),
            eigenvalues=eigenvalues,
            groups=_groups_rate(rng, groups),
            fits=_seconds_of_fits(rng, spectra),
            shuffle=_seconds_of_shuffle(rng),
            fingerprint=_seconds_per_entry(rng),
        )


def _product_rate(kind: torch.dtype) -> float:
    a, b = torch.ones(WIDTH, 4 * WIDTH, dtype=kind), torch.ones(4 * WIDTH, WIDTH, dtype=kind)
    return 2 * WIDTH * 4 * WIDTH * WIDTH / cpu_seconds(lambda: a @ b)


def _forward_rate() -> float:
    """The blocks of pythia-70m with random weights."""
    layers, d = 6, 512
    config = GPTNeoXConfig(
        vocab_size=1024, hidden_size=d, num_hidden_layers=layers, num_attention_heads=8, intermediate_size=4 * d
    )
    model, (n, length) = GPTNeoXModel(config).eval(), TOKENS
    tokens = torch.zeros(n, length, dtype=torch.long)
    with torch.inference_mode():
        seconds = cpu_seconds(lambda: model(tokens, use_cache=False))
    return n * length * layers * (24 * d**2 + 4 * length * d) / seconds


def _groups_rate(rng: np.random.Generator, options: Mapping[str, object]) -> float:
    d, n, draws = WIDTH // 2, 2 * WIDTH, 99
    size = round(options["share"] * n)
    rows, covariates = rng.standard_normal((n, d)), rng.standard_normal((n, 3))
    matched = draw_matched_sets(np.arange(size), covariates, rng, n_sets=draws)
    placebo = np.arange(size, 2 * size)
    seconds = cpu_seconds(lambda: measure_set_spectrum(rows, matched, placebo, rng=rng), repeats=2)
    return draws * (2 * size**2 * d + 4 / 3 * size**3) / seconds


def _seconds_of_fits(rng: np.random.Generator, options: Mapping[str, object]) -> float:
    matrix = rng.standard_normal((2 * WIDTH, WIDTH // 2))
    bare = {"refits": 0, "likelihood_ratios": False}
    whole = cpu_seconds(lambda: measure_spectrum(matrix, SpectrumOptions(**options)), repeats=2)
    rest = cpu_seconds(lambda: measure_spectrum(matrix, SpectrumOptions(**{**options, **bare})), repeats=2)
    return max(whole - rest, 0.0) / (WIDTH // 2)


def _seconds_of_shuffle(rng: np.random.Generator) -> float:
    """As long as an embedding: most of the time is waiting for memory."""
    entries = np.ones(1 << 24)
    return cpu_seconds(lambda: rng.permutation(entries), repeats=2) / entries.size


def _seconds_per_entry(rng: np.random.Generator) -> float:
    entries = rng.standard_normal(1 << 21).astype(np.float16)
    return cpu_seconds(lambda: fingerprint_tensor("w", entries)) / entries.size
