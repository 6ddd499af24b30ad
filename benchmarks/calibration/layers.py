"""Estimates of all layers' influence against exact ablation of every neuron, on trained checkpoints.

Run ``python -m benchmarks.calibration.layers RESULTS [--model embedded-seed0] [--contexts 96]`` on the results of a
demo (about five CPU-minutes): every neuron of its last checkpoint exactly, then samples of neurons on ten checkpoints.
Tables in Markdown; they stand in ``docs/methods/layers.md``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import yaml

from rare_neurons.models.influence.probe import EngineSettings, probe_model
from rare_neurons.models.layers.audit import ablate
from rare_neurons.models.layers.batch import PassSettings
from rare_neurons.models.layers.blocks import Blocks, full_precision_products
from rare_neurons.models.layers.draws import Sample, draw_sample
from rare_neurons.models.layers.estimate import Estimated, estimate, mean_activation
from rare_neurons.models.layers.losses import LossReadout
from rare_neurons.models.layers.measure import LayerOptions, measure_layers
from rare_neurons.models.layers.results import PARTS, shrunk_estimates
from rare_neurons.models.loading import load_model
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.layers.conformal import conformal_intervals
from rare_neurons.numerics.layers.sampling import type_factor
from rare_neurons.numerics.layers.shrink import Shrunk
from rare_neurons.numerics.layers.totals import layer_total
from rare_neurons.numerics.panel.standard_error import cluster_variance, two_way_standard_error
from rare_neurons.stages.on_panel import load_panel

STRATA, BATCH, N_TOP, N_RANDOM, SPLITS, CONFIDENCE = ("common", "rare"), 32, 8, 19, 200, 0.9
SETTINGS = PassSettings(epsilon=0.01, sign_draws=2, target_draws=4, seed=0)
HEADINGS = (
    "loss",
    "rmse/rms: first order",
    "estimates",
    f"with the {N_TOP} strongest exact",
    "r",
    "recall of the top 50",
    "wrong signs beyond 2 se",
    "within ±1.645 error, unshrunk",
    "split-conformal cover",
    "cover of totals",
    "our se / two-way se of exact values: 10, 50, 90 %",
    "error / se, median",
)


@dataclass(frozen=True)
class Checked:
    """One stratum, part and layer: estimates, exact means `[neuron]`, and the standard errors of both."""

    place: str
    shrunk: Shrunk
    neurons: np.ndarray
    exact: np.ndarray
    se: np.ndarray
    exact_se: np.ndarray


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--model", default="embedded-seed0")
    parser.add_argument("--panel", default="heldout")
    parser.add_argument("--contexts", type=int, default=96)
    parser.add_argument("--neurons", type=int, default=24, help="of each layer, on the other checkpoints")
    parser.add_argument("--seeds", type=int, default=10, help="of signs and labels, on the last checkpoint")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    panel = panel_of(arguments.results, arguments.panel)
    steps = sorted(int(p.name[4:]) for p in (arguments.results / "pretrain" / arguments.model).glob("step*"))
    folder = arguments.results / "pretrain" / arguments.model
    start = time.process_time()
    print(f"\nEvery neuron of {arguments.model}, step {steps[-1]}, {arguments.contexts} contexts\n")
    drawn = check(folder / f"step{steps[-1]}", panel, arguments.contexts, None, seeds=range(arguments.seeds))
    report_all(drawn[0])
    print(f"\nThe same over {arguments.seeds} seeds of signs and labels: mean (smallest to largest)\n")
    report_seeds(drawn)
    print(f"\n{arguments.neurons} neurons of each layer, {arguments.contexts} contexts\n")
    print("| step | " + " | ".join(f"{s} {p}" for s in STRATA for p in PARTS) + " |")
    print("| --- " * (1 + len(STRATA) * len(PARTS)) + "|")
    for step in steps[-10:]:
        report_sample(step, *check(folder / f"step{step}", panel, arguments.contexts, arguments.neurons))
    print(
        "\nLast layer against the certified engine, differences in units of its standard error and of the 90 % bound\n"
    )
    report_last(folder / f"step{steps[-1]}", panel, arguments.contexts)
    print(f"\n{time.process_time() - start:.0f} CPU s")


def panel_of(results: Path, name: str) -> PanelArrays:
    """Load the panel of a finished run."""
    config = yaml.safe_load((results / "config.yaml").read_text())
    wanted = config["panels"][name]
    unigram = results / "corpus" / wanted["corpus"] / wanted["tokenizer"] / "unigram.parquet"
    tables = {table: str(results / "panel" / name / f"{table}.parquet") for table in ("contexts", "targets")}
    return load_panel(**tables, unigram=str(unigram), rules=wanted["strata"])


def check(
    folder: Path, panel: PanelArrays, n_contexts: int, n_neurons: int | None, *, seeds: Iterable[int] = (0,)
) -> list[list[Checked]]:
    """Ablate all neurons of a checkpoint or a sample of each layer, and estimate all with each seed."""
    model = load_model(folder, dtype=torch.float32)
    blocks, readout = Blocks(model), LossReadout(model, panel.vocab_stratum, n_strata=len(panel.strata))
    samples = {seed: draw_sample(panel, STRATA, n_contexts, seed=seed) for seed in seeds}
    first, rng = next(iter(samples.values())), np.random.default_rng(1)
    neurons = [np.sort(rng.permutation(blocks.n_neurons)[:n_neurons]) for _ in range(len(blocks))]
    checked = []
    with full_precision_products():
        means = mean_activation(blocks, first, batch_size=BATCH)
        # The contexts do not depend on the seed, so neither does what is exact.
        changes = ablate(blocks, readout, first, means, neurons, batch_size=BATCH)
        for seed, sample in samples.items():
            found = estimate(blocks, readout, sample, means, replace(SETTINGS, seed=seed), batch_size=BATCH)
            checked.append(list(_checked(sample, found, neurons, changes)))
    return checked


def _checked(
    sample: Sample, found: Estimated, neurons: list[np.ndarray], changes: list[np.ndarray]
) -> Iterator[Checked]:
    for (s, p, layer), shrunk in shrunk_estimates(found.sums, sample.n_targets()).items():
        rows = np.flatnonzero(sample.stratum == s)
        exact = changes[layer][p][:, rows].astype(np.float64)
        drawn, variance = found.single[s], found.sums.document_variance[s, p, layer]
        document = sample.cluster[sample.context]
        factor = type_factor(
            drawn.few[p, :, layer].astype(np.float64),
            mean=found.sums.first[s, p, :, :, layer].sum((0, 1))[drawn.neurons] / len(rows),
            weight=drawn.weight,
            document=document[drawn.rows],
            token=sample.target_id[drawn.rows],
            document_variance=variance[drawn.neurons],
            n_targets=len(rows),
        )
        yield Checked(
            f"{STRATA[s]} {PARTS[p]}, layer {layer}",
            shrunk,
            neurons[layer],
            exact.mean(1),
            np.sqrt(variance) * factor,
            _two_way(exact, document[rows], sample.target_id[rows]),
        )


def _two_way(exact: np.ndarray, document: np.ndarray, token: np.ndarray) -> np.ndarray:
    """Two-way standard error of each neuron's exact mean, from all targets `[neuron, target]`."""
    pair = document * (token.max() + 1) + token
    variances = []
    for label in (document, token, pair):
        of_label = np.unique(label, return_inverse=True)[1]
        counts = np.bincount(of_label)
        sums = np.zeros((len(counts), len(exact)))
        np.add.at(sums, of_label, exact.T)
        variances.append(cluster_variance(sums, counts))
    return two_way_standard_error(
        document_variance=variances[0], type_variance=variances[1], pair_variance=variances[2]
    )


def report_all(checked: list[Checked]) -> None:
    """One line for each layer and loss, all neurons exact."""
    print(f"| {' | '.join(HEADINGS)} |")
    print("| --- " * len(HEADINGS) + "|")
    for one in checked:
        print(f"| {one.place} | " + " | ".join(_figures(one)) + " |", flush=True)


def report_seeds(drawn: list[list[Checked]]) -> None:
    """How the estimates of each layer and loss do over seeds: one's figures are themselves a draw."""
    columns = (1, 3, 4, 6, 7, 8)
    print(f"| loss | {' | '.join(HEADINGS[1 + k] for k in columns)} |")
    print("| --- " * (1 + len(columns)) + "|")
    for of_seeds in zip(*drawn, strict=True):
        figures = np.array([[float(_figures(one)[k].split()[0]) for k in columns] for one in of_seeds])
        cells = (
            f"{mean:.3f} ({low:.3f} to {high:.3f})"
            for mean, low, high in zip(figures.mean(0), figures.min(0), figures.max(0), strict=True)
        )
        print(f"| {of_seeds[0].place} | {' | '.join(cells)} |", flush=True)


def _figures(one: Checked) -> list[str]:
    exact, found, error = one.exact, one.shrunk.estimate, one.shrunk.error
    first = one.shrunk.unshrunk - 0.5 * one.shrunk.second
    rms = np.sqrt(np.mean(exact**2))
    wrong = (np.sign(exact) != np.sign(found)) & (np.abs(exact) > 2 * one.exact_se)
    top = set(np.argsort(-np.abs(exact))[:50].tolist()) & set(np.argsort(-np.abs(found))[:50].tolist())
    corrected = found.copy()
    strongest = np.argsort(-np.abs(found))[:N_TOP]
    corrected[strongest] = exact[strongest]
    known = error > 0
    plain = np.mean(np.abs(exact - one.shrunk.unshrunk)[known] <= 1.645 * error[known])
    cover, totals = split_covers(one)
    return [
        *(f"{np.sqrt(np.mean((x - exact) ** 2)) / rms:.3f}" for x in (first, found, corrected)),
        f"{np.corrcoef(exact, found)[0, 1]:.4f}",
        f"{len(top) / 50:.2f}",
        f"{wrong.sum()} of {np.sum(np.abs(exact) > 2 * one.exact_se)}",
        *(f"{share:.3f}" for share in (plain, cover, totals)),
        " ".join(f"{x:.2f}" for x in np.quantile(one.se / one.exact_se, [0.1, 0.5, 0.9])),
        f"{np.median(np.abs(found - exact) / one.exact_se):.3f}",
    ]


def split_covers(one: Checked) -> tuple[float, float]:
    """Cover of the intervals among neurons not audited, and of the layer total, over random choices of the audited."""
    rng = np.random.default_rng(2)
    strongest = np.argsort(-np.abs(one.shrunk.estimate))[:N_TOP]
    rest = np.setdiff1d(np.arange(len(one.exact)), strongest)
    values, error = one.shrunk.estimate.copy(), one.exact - one.shrunk.estimate
    values[strongest] = one.exact[strongest]
    covered, totals = [], []
    for _ in range(SPLITS):
        audited, other = np.split(rng.permutation(rest), [N_RANDOM])
        audit = {"audited": audited, "error": error[audited], "confidence": CONFIDENCE}
        half = conformal_intervals(one.shrunk.error, **audit).half_width
        covered.append(np.mean(np.abs(error[other]) <= half[other]))
        total = layer_total(values, n_exact=N_TOP, **audit)
        totals.append(total.low <= one.exact.sum() <= total.high)
    return float(np.mean(covered)), float(np.mean(totals))


def report_sample(step: int, checked: list[Checked]) -> None:
    """Root mean square error in units of the root mean square influence, worst layer, of the sampled neurons."""
    shares: dict[str, list[float]] = {}
    for one in checked:
        error = one.shrunk.estimate[one.neurons] - one.exact
        share = np.sqrt(np.mean(error**2) / np.mean(one.exact**2))
        shares.setdefault(one.place.split(",")[0], []).append(share)
    print(f"| {step} | " + " | ".join(f"{max(found):.3f}" for found in shares.values()) + " |", flush=True)


def report_last(folder: Path, panel: PanelArrays, n_contexts: int) -> None:
    """Differences of the last layer from the certified engine on the same contexts."""
    model = load_model(folder, dtype=torch.float32)
    rows, contexts = _same_contexts(panel, n_contexts)
    engine = EngineSettings(engine="certified", tolerance=1e-7, tolerance_se=0.1, memory_gb=1.0, placebo_draws=0)
    certified = probe_model(model, _part_of(panel, rows, contexts), engine)
    options = LayerOptions(STRATA, n_contexts, N_TOP, N_RANDOM, target_draws=4, seed=0, batch_size=BATCH)
    found = measure_layers(model, panel, options).influence
    last = np.array(found["layer"]) == max(found["layer"])
    print("| loss | median difference / se | largest / certified se | largest / 90 % half-width, not audited |")
    print("| --- " * 4 + "|")
    for stratum in STRATA:
        s = panel.strata.index(stratum)
        mine = last & (np.array(found["stratum"]) == stratum)
        bound = (certified.truncation_bound + certified.rounding_bound)[s]
        for name in ("influence", "influence_within"):
            value, high = (np.array(found[key], dtype=float)[mine] for key in (name, f"{name}_high"))
            difference, se = np.abs(value - getattr(certified, name)[s]), getattr(certified, f"{name}_se")[s]
            open_ = high > value
            beyond = np.maximum(difference - bound, 0)[open_] / (high - value)[open_]
            shares = (np.median(difference / se), np.max(difference / se), np.max(beyond))
            print(f"| {stratum} {name} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")


def _same_contexts(panel: PanelArrays, n_contexts: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of all strata in the contexts that the sample takes, and those contexts."""
    sample = draw_sample(panel, STRATA, n_contexts, seed=0)
    taken = {ids.tobytes() for ids in sample.token_ids}
    contexts = np.flatnonzero([np.ascontiguousarray(ids, dtype=np.int64).tobytes() in taken for ids in panel.token_ids])
    return np.flatnonzero(np.isin(panel.context, contexts)), contexts


def _part_of(panel: PanelArrays, rows: np.ndarray, contexts: np.ndarray) -> PanelArrays:
    """Keep some contexts of a panel."""
    of_target = ("position", "target_id", "document", "type_bin", "stratum")
    return replace(
        panel,
        token_ids=panel.token_ids[contexts],
        fold=panel.fold[contexts],
        context=np.searchsorted(contexts, panel.context[rows]),
        **{name: getattr(panel, name)[rows] for name in of_target},
    )


if __name__ == "__main__":
    main()
