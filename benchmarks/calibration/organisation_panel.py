"""How much of the co-activation of a set is the panel's own: its documents and types left out, fold by fold.

Run ``python -m benchmarks.calibration.organisation_panel RESULTS`` on a results folder of the demo with its checkpoints
(half a CPU-minute). Runs share a panel, so that their leave-outs are averaged before the jackknife of their mean.
Figures stand in ``docs/methods/organisation.md``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.calibration.evidence_world import table
from benchmarks.calibration.organisation_trained import activity_of, panel_of
from rare_neurons.models.activity.activity_pass import run_activity
from rare_neurons.models.activity.reading import SPLITS, Rows, choose_contexts
from rare_neurons.models.loading import load_model
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.claims.findings import BAND_SD
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.organisation.coactivation import CoActivation, Split
from rare_neurons.numerics.organisation.matching import draw_matched_sets, neuron_covariates
from rare_neurons.numerics.organisation.residuals import correlations
from rare_neurons.stages.set_spectra import read_final_mlp
from rare_neurons.tables import read_table

HALF = N_FOLDS // 2
N_SETS = 199
Array = NDArray[np.float64]


def labels_of(panel: PanelArrays, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Document fold and type bin of each row."""
    bins = np.full(len(panel.vocab_stratum), -1)
    bins[panel.target_id] = panel.type_bin
    return panel.fold[rows.context], bins[rows.target_id]


def kept_rows(rows: Rows, keep: NDArray[np.bool_]) -> Rows:
    """Some of the rows."""
    return Rows(*(value[keep] for value in vars(rows).values()))


def effects(results: Path, folder: Path, step: int, stratum: str) -> tuple[Array, float]:
    """Effect with all rows, then without each fold and each bin `[1 + 12]`; standard deviation of a single set."""
    config, panel, rows = panel_of(results)
    contexts, name = choose_contexts(panel.fold, 1.0), next(iter(config["panels"]))
    model = load_model(folder / f"step{step}", dtype=torch.float32)
    run = run_activity(model, panel, contexts, at=(rows.context, rows.position), batch_size=32)
    place = f"{name}/{folder.name}/step{step}.parquet"
    influence = read_table(results / "influence" / place, ["stratum", "influence_within_a"]).to_pandas()
    mine = influence[influence["stratum"] == stratum]["influence_within_a"].to_numpy()
    chosen = np.argsort(-np.abs(mine), kind="stable")[: max(2, round(0.05 * len(mine)))]
    variance = read_table(results / "activations" / place)["activation_variance"].to_numpy()
    active = run.counts[-1].n_active.sum(axis=0)
    covariates = neuron_covariates(*read_final_mlp(folder / f"step{step}"), variance, active=active)
    matched = draw_matched_sets(chosen, covariates, np.random.default_rng(0), n_sets=N_SETS)
    sets, activations = np.concatenate([matched.chosen[None], matched.sets]), run.captured.activations.numpy()
    everything = np.ones(len(rows.context), dtype=bool)
    left_out = [label != k for label in labels_of(panel, rows) for k in range(HALF, N_FOLDS)]
    found = []
    for keep in (everything, *left_out):
        activity = activity_of(activations[keep], kept_rows(rows, keep), panel, stratum)
        parts = [correlations(z) for z in activity.standardised(True)]
        values = CoActivation([Split(parts[a], parts[b]) for a, b in SPLITS]).of_pairs(sets)[:, 0]
        low, median, high = np.quantile(matched.adjusted(values), (0.05, 0.5, 0.95))
        found.append((values[0] - median, (high - low) / BAND_SD))
    return np.array([effect for effect, _ in found]), found[0][1]


def jackknife_sd(left_out: Array) -> float:
    """Of documents and types, six of each: the sum of both variances, at least that of the two-way jackknife."""
    halves = left_out.reshape(2, HALF)
    return float(np.sqrt((HALF - 1) * np.var(halves, axis=1).sum()))


def main() -> None:
    """Print the panel's standard deviation over that of a single set, by run and of the mean over runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    lines = []
    for step in (128, 1000):
        for stratum in ("rare", "common"):
            folders = sorted((asked.results / "pretrain").glob("embedded-seed?"))
            found = [effects(asked.results, folder, step, stratum) for folder in folders]
            single = float(np.sqrt(np.mean([sd**2 for _, sd in found])))
            own = [jackknife_sd(values[1:]) / single for values, _ in found]
            mean = jackknife_sd(np.mean([values[1:] for values, _ in found], axis=0)) / single
            over_runs = float(np.std([values[0] for values, _ in found], ddof=1)) / single
            cells = (", ".join(f"{x:.2f}" for x in own), f"{mean:.2f}", f"{over_runs:.2f}")
            lines.append([f"step {step}, {stratum}", f"{single:.4f}", *cells])
    table(("", "single set σ", "panel sd / σ by run", "of the mean over runs", "scatter over runs / σ"), lines)


if __name__ == "__main__":
    main()
