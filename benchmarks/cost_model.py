"""What one checkpoint of Pythia costs, from 14m to 12b: bytes, floating-point operations, seconds, and a sweep of all.

``python -m benchmarks.cost_model`` measures the rates of one core (about a minute), then computes the tables of
docs/scale.md from the models' shapes and config/pythia.yaml. GPU seconds follow from assumed rates; none is measured.
"""

from dataclasses import dataclass

from benchmarks.cpu_rates import Rates, measure_rates
from tools.configuration import read_config

CONFIG = read_config("config/pythia.yaml")
PANEL = CONFIG["panels"]["c4-heldout"]
N_STRATA = len(PANEL["strata"])
N_TARGETS = PANEL["targets_per_stratum"] * N_STRATA
CONTEXT = PANEL["context_length"]
N_TOKENS = PANEL["max_contexts"] * CONTEXT
ENGINE_OVER_FLOOR = 1.5  # benchmarks/README.md, Influence: certified engine over the products it cannot do without
# Of a neuron and stratum, in the shards of the demo: a row of `influence` 145, two sums in each of 144 `cells` 1,700.
BYTES_PER_ROW = 145 + 1_700
PLACEBOS = 1.42  # benchmarks/README.md: probe with placebos over one without, nearly all of it the engine's
GROUP_TESTS = 3 * len(CONFIG["set_spectra"]["strata"])  # W_in, W_out, W_out without gradients
# ASSUME: dense peaks of an A100 in TFLOP/s (float64 and bfloat16 on tensor cores, float32 without TF32), 40 % of them.
GPU = Rates(float64=19.5e12 * 0.4, float32=19.5e12 * 0.4, bfloat16=312e12 * 0.4, forward=19.5e12 * 0.4)
SEEDS, CHECKPOINTS = 9, 154  # PolyPythias: nine more seeds of each of five sizes
POLYPYTHIAS = ("14m", "31m", "70m", "160m", "410m")
JOBS_PER_CHECKPOINT = 3  # of the cluster: probe, spectra, metrics


@dataclass(frozen=True)
class Shape:
    """Layers, width and vocabulary of a GPTNeoX model whose MLP is four times as wide."""

    layers: int
    d: int
    vocab: int = 50304

    @property
    def neurons(self) -> int:
        return 4 * self.d

    @property
    def parameters(self) -> int:
        return 2 * self.vocab * self.d + self.layers * (12 * self.d**2 + 13 * self.d) + 2 * self.d

    @property
    def matrices(self) -> list[tuple[int, int]]:
        """(longer, shorter) side of every matrix that has a spectrum."""
        block = 4 * [(self.d, self.d)] + 2 * [(4 * self.d, self.d)]
        return self.layers * block + 2 * [(self.vocab, self.d)]


SHAPES = {
    "14m": Shape(6, 128),
    "31m": Shape(6, 256),
    "70m": Shape(6, 512),
    "160m": Shape(12, 768),
    "410m": Shape(24, 1024),
    "1b": Shape(16, 2048),
    "1.4b": Shape(24, 2048),
    "2.8b": Shape(32, 2560),
    "6.9b": Shape(32, 4096, 50432),
    "12b": Shape(36, 5120, 50688),
}


def fetched_bytes(shape: Shape) -> int:
    """Half-precision weights and the causal masks that the published files carry."""
    return 2 * shape.parameters + shape.layers * 2048**2


def results_bytes(shape: Shape) -> int:
    """Shards of one checkpoint: influence, sums over the grid's cells, activations."""
    return shape.neurons * (N_STRATA * BYTES_PER_ROW + 24)


def forward_flop(shape: Shape) -> float:
    """Blocks only: the unembedding is applied by the engine, at the targets."""
    return N_TOKENS * shape.layers * (24 * shape.d**2 + 4 * CONTEXT * shape.d)


def engine_flop(shape: Shape) -> dict[str, float]:
    """Products of the certified engine by precision (benchmarks/README.md, the floor)."""
    V, d, N = shape.vocab, shape.d, shape.neurons
    return {
        "float64": N_TARGETS * (2 * V * d + 7 * 2 * d * N) + 2 * V * d * N,
        "float32": N_TARGETS * 2 * V * d,
        "bfloat16": N_TARGETS * 2 * V * N,
    }


def probe_seconds(shape: Shape, rates: Rates) -> tuple[float, float]:
    """Forward pass and engine."""
    engine = sum(flop / getattr(rates, kind) for kind, flop in engine_flop(shape).items())
    return forward_flop(shape) / rates.forward, ENGINE_OVER_FLOOR * PLACEBOS * engine


def spectra_flop(shape: Shape) -> float:
    """Gram matrices and their eigenvalues: of the weights, of shuffled weights, and of windows of half the width."""
    options, total = CONFIG["spectra"], 0.0
    for long, short in shape.matrices:
        whole = 2 * long * short**2 + 4 / 3 * short**3
        window = (2 + 4 / 3) * (short / 2) ** 3
        total += (1 + options["shuffles"]) * whole + options["farms_windows"] * window
    return total


def spectra_seconds(shape: Shape, rates: Rates) -> float:
    """Gram matrices, eigenvalues, fits with their refits, shuffles, and the fingerprint of every entry."""
    options = CONFIG["spectra"]
    total = shape.parameters * (rates.fingerprint + options["shuffles"] * rates.shuffle)
    for long, short in shape.matrices:
        whole = 2 * long * short**2 / rates.float64 + 4 / 3 * short**3 / rates.eigenvalues
        window = (short / 2) ** 3 * (2 / rates.float64 + 4 / 3 / rates.eigenvalues)
        total += (1 + options["shuffles"]) * whole + options["farms_windows"] * window + short * rates.fits
    return total


def groups_seconds(shape: Shape, rates: Rates) -> float:
    """Matched random sets: Gram matrix and eigenvalues of each, by the measured seconds of one group."""
    size = CONFIG["set_spectra"]["share"] * shape.neurons
    flop = 2 * size**2 * shape.d + 4 / 3 * size**3
    return GROUP_TESTS * CONFIG["set_spectra"]["n_permutations"] * flop / rates.groups


def memory_bytes(shape: Shape) -> float:
    """A probe on the CPU: float32 weights, U and its squares, working memory as configured."""
    return 4 * shape.parameters + 6 * shape.vocab * shape.neurons + CONFIG["probe"]["memory_gb"] * 1e9


def checkpoint_row(name: str, shape: Shape, cpu: Rates) -> str:
    """One line of the table of checkpoints."""
    forward, engine = probe_seconds(shape, cpu)
    cells = [
        name,
        f"{shape.parameters / 1e6:,.0f} M",
        f"{fetched_bytes(shape) / 1e9:.2f} GB",
        f"{results_bytes(shape) / 1e6:.1f} MB",
        f"{memory_bytes(shape) / 1e9:.1f} GB",
        f"{forward_flop(shape) / 1e12:,.0f} + {sum(engine_flop(shape).values()) / 1e12:,.0f}",
        f"{spectra_flop(shape) / 1e12:,.2f}",
        f"{forward:,.0f} + {engine:,.0f}",
        f"{spectra_seconds(shape, cpu):,.0f}",
        f"{groups_seconds(shape, cpu):,.0f}",
        f"{sum(probe_seconds(shape, GPU)):,.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def sweep_row(name: str, shape: Shape, cpu: Rates) -> tuple[str, list[float]]:
    """One size of PolyPythias, and its summands."""
    n = SEEDS * CHECKPOINTS
    others = spectra_seconds(shape, cpu) + groups_seconds(shape, cpu)
    sums = [
        n,
        n * JOBS_PER_CHECKPOINT,
        n * fetched_bytes(shape) / 1e12,
        n * results_bytes(shape) / 1e9,
        n * sum(probe_seconds(shape, cpu)) / 3600,
        n * others / 3600,
        n * sum(probe_seconds(shape, GPU)) / 3600,
    ]
    return sweep_line(name, sums), sums


def sweep_line(name: str, sums: list[float]) -> str:
    """Format a line of the sweep's table."""
    formats = ("{:,.0f}", "{:,.0f}", "{:.2f} TB", "{:,.0f} GB", "{:,.0f} h", "{:,.0f} h", "{:,.1f} h")
    cells = [form.format(value) for form, value in zip(formats, sums, strict=True)]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Print rates, costs per checkpoint and the sweep."""
    cpu = measure_rates(CONFIG["spectra"], CONFIG["set_spectra"])
    print(cpu.describe())
    print(
        "\n| model | parameters | fetched | results | memory | probe, TFLOP | spectra, TFLOP | probe, CPU s |"
        " spectra, CPU s | groups, CPU s | probe, GPU s |\n" + "| --- " * 11 + "|"
    )
    for name, shape in SHAPES.items():
        print(checkpoint_row(name, shape, cpu))
    print(
        "\n| size | checkpoints | cluster jobs | fetched | results | probes, core hours | spectra and groups, core"
        " hours | probes, GPU hours |\n" + "| --- " * 8 + "|"
    )
    rows = [sweep_row(name, SHAPES[name], cpu) for name in POLYPYTHIAS]
    for text, _ in rows:
        print(text)
    print(sweep_line("all", [sum(column) for column in zip(*(sums for _, sums in rows), strict=True)]))


if __name__ == "__main__":
    main()
