"""What the tests of co-activation say of trained layers: of sets that nothing was asked of, and of those of influence.

Run ``python -m benchmarks.calibration.organisation_trained placebo RESULTS --draws 4``, or ``real RESULTS``, on a
results folder of the demo with its checkpoints (about a CPU-minute each).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from benchmarks.calibration.organisation import LEVEL
from benchmarks.calibration.set_matching import by_run
from rare_neurons.families import family_of
from rare_neurons.models.activity.activity_pass import run_activity
from rare_neurons.models.activity.reading import SPLITS, Rows, choose_contexts, choose_rows
from rare_neurons.models.loading import load_model
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.organisation.coactivation import QUANTITIES, CoActivation, Split
from rare_neurons.numerics.organisation.comparison import share_as_far
from rare_neurons.numerics.organisation.matching import draw_matched_sets, features_of, neuron_covariates
from rare_neurons.numerics.organisation.residuals import correlations
from rare_neurons.numerics.organisation.rows import OrganisationRow
from rare_neurons.numerics.organisation.study import StratumActivity, block_design, measure_coactivation
from rare_neurons.stages.on_panel import load_panel
from rare_neurons.stages.set_spectra import read_final_mlp
from rare_neurons.tables import read_table

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrainedLayer:
    """Final layer of one checkpoint: activations of each stratum, and what its sets are matched by."""

    model: str
    step: int
    activity: dict[str, StratumActivity]
    chosen: dict[str, NDArray[np.int64]]
    covariates: Array


def trained_layers(results: Path, *, steps: tuple[int, ...], prefix: str = "embedded") -> Iterator[TrainedLayer]:
    """Run checkpoints of models that were trained here over their panel's contexts."""
    config, panel, rows = panel_of(results)
    name, contexts = next(iter(config["panels"])), choose_contexts(panel.fold, 1.0)
    for folder in sorted((results / "pretrain").glob(f"{prefix}*")):
        for step in steps:
            model = load_model(folder / f"step{step}", dtype=torch.float32)
            run = run_activity(model, panel, contexts, at=(rows.context, rows.position), batch_size=32)
            place = f"{name}/{folder.name}/step{step}.parquet"
            table = read_table(results / "influence" / place, ["stratum", "influence_within_a"]).to_pandas()
            variance = read_table(results / "activations" / place)["activation_variance"].to_numpy()
            w_in, w_out = read_final_mlp(folder / f"step{step}")
            size = max(2, round(0.05 * len(w_in)))
            chosen = {
                s: np.argsort(-np.abs(part["influence_within_a"].to_numpy()), kind="stable")[:size]
                for s, part in table.groupby("stratum")
                if s in ("rare", "common")
            }
            activity = {s: activity_of(run.captured.activations.numpy(), rows, panel, s) for s in chosen}
            covariates = neuron_covariates(w_in, w_out, variance, active=run.counts[-1].n_active.sum(axis=0))
            yield TrainedLayer(folder.name, step, activity, chosen, covariates)


def panel_of(results: Path) -> tuple[dict, PanelArrays, Rows]:
    """Configuration, first panel and its rows for reading."""
    config = yaml.safe_load((results / "config.yaml").read_text())
    name = next(iter(config["panels"]))
    panel = load_panel(
        contexts=str(results / "panel" / name / "contexts.parquet"),
        targets=str(results / "panel" / name / "targets.parquet"),
        unigram=str(next((results / "corpus").glob("*/*/unigram.parquet"))),
        rules=config["panels"][name]["strata"],
    )
    return config, panel, choose_rows(panel, choose_contexts(panel.fold, 1.0), most=1000)


def activity_of(activations: NDArray[np.floating], rows: Rows, panel: PanelArrays, stratum: str) -> StratumActivity:
    """Blocks of one stratum's rows and their designs."""
    members = [np.flatnonzero((rows.stratum == panel.strata.index(stratum)) & (rows.block == b)) for b in range(4)]
    log_p = panel.log_unigram
    designs = [block_design(log_p[rows.target_id[m]], log_p[rows.input_id[m]], rows.position[m]) for m in members]
    return StratumActivity([activations[m] for m in members], designs, SPLITS)


def placebo_rates(results: Path, repeats: int, seed: int = 0) -> Iterator[str]:
    """Sets that were drawn by a set's own propensities, or by covariates and noise: p knows nothing of them."""
    rng, found = np.random.default_rng(seed), {}
    for layer in trained_layers(results, steps=(16, 64, 256, 1000)):
        for stratum, activity in layer.activity.items():
            parts = [correlations(z) for z in activity.standardised(True)]
            measure = CoActivation([Split(parts[a], parts[b]) for a, b in SPLITS])
            strongest = features_of(layer.covariates)[:, 3]
            size = len(layer.chosen[stratum])
            drawn = draw_matched_sets(layer.chosen[stratum], layer.covariates, rng, n_sets=repeats).sets
            noisy = [np.argsort(-strongest - rng.normal(size=len(strongest)))[:size] for _ in range(repeats)]
            for kind, sets in (("own propensities", drawn), ("covariate and noise", noisy)):
                for chosen in sets:
                    matched = draw_matched_sets(chosen, layer.covariates, rng, n_sets=199)
                    values = measure(np.concatenate([matched.chosen[None], matched.sets]))
                    for k, name in enumerate(QUANTITIES[:2]):
                        p = share_as_far(matched.adjusted(values[:, k]), values[0, k], "upper")
                        found.setdefault((kind, name), []).append((layer.model, p <= LEVEL))
    for (kind, name), hits in found.items():
        rates, (low, high) = by_run(hits)
        yield f"{kind}, {name}: p ≤ .05 by run {np.round(rates, 3).tolist()}, interval {low:.3f} to {high:.3f}"


def real_sets(results: Path) -> Iterator[str]:
    """Measure the sets that influence chose, in models and in controls."""
    for prefix in ("embedded", "shuffled"):
        for layer in trained_layers(results, steps=(0, 16, 128, 1000), prefix=prefix):
            for stratum, activity in layer.activity.items():
                rng = np.random.default_rng(0)
                matched = draw_matched_sets(layer.chosen[stratum], layer.covariates, rng, n_sets=999)
                placebo = np.argsort(-layer.covariates[:, 3], kind="stable")[: len(matched.chosen)]
                rows = measure_coactivation(activity, matched, placebo, rng=rng, stratum=stratum, sign="all")
                yield f"{layer.model} {layer.step} {stratum}: {_shown(rows)}"


def planted_cluster(results: Path, *, n_planted: int = 20, size: float = 0.5, step: int = 1000) -> Iterator[str]:
    """Let neurons of one checkpoint read a common direction, that of rare contexts, and measure them as a set.

    The direction is the mean of what the final MLP reads before rare targets less that before common ones.
    """
    rng = np.random.default_rng(1)
    _, panel, rows = panel_of(results)
    model = load_model(results / "pretrain" / "embedded-seed0" / f"step{step}", dtype=torch.float32)
    contexts, at = choose_contexts(panel.fold, 1.0), (rows.context, rows.position)
    family = family_of(model.config.to_dict())
    layer = model.config.num_hidden_layers - 1
    read = model.get_submodule(family.block_module(layer, "W_in"))
    seen: list[torch.Tensor] = []
    handle = read.register_forward_pre_hook(lambda _module, args: seen.append(args[0].detach()))
    with torch.inference_mode():
        for ids in torch.from_numpy(panel.token_ids).split(32):
            model.base_model(input_ids=ids, use_cache=False)
    handle.remove()
    inputs = torch.cat(seen)[rows.context, rows.position]
    means = [inputs[rows.stratum == panel.strata.index(s)].mean(0) for s in ("rare", "common")]
    direction = (means[0] - means[1]) / (means[0] - means[1]).norm()
    chosen = rng.permutation(len(read.weight))[:n_planted]
    for amount in (0.0, size):
        with torch.no_grad():
            read.weight[chosen] += amount * read.weight[chosen].norm(dim=1, keepdim=True) * direction
        run = run_activity(model, panel, contexts, at=at, batch_size=32)
        activations = run.captured.activations.numpy()
        w_out = model.get_submodule(family.block_module(layer, "W_out")).weight.detach().T.numpy()
        covariates = neuron_covariates(read.weight.detach().numpy(), w_out, run.captured.activation_variance.numpy())
        matched = draw_matched_sets(chosen, covariates, rng, n_sets=999)
        placebo = np.argsort(-covariates[:, 3], kind="stable")[:n_planted]
        of_rare = activity_of(activations, rows, panel, "rare")
        found = measure_coactivation(of_rare, matched, placebo, rng=rng, stratum="rare", sign="all")
        yield f"planted {amount}: " + _shown(found)


def _shown(rows: Iterator[OrganisationRow]) -> str:
    return "; ".join(f"{r.quantity} {r.value:.4f} p {r.p_value} beside {r.placebo_p}" for r in rows if r.residualised)


def main() -> None:
    """Print one line for each kind of set, or each checkpoint and stratum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["placebo", "real", "planted"])
    parser.add_argument("results", type=Path)
    parser.add_argument("--draws", type=int, default=4)
    asked = parser.parse_args()
    what = {
        "placebo": lambda: placebo_rates(asked.results, asked.draws),
        "real": lambda: real_sets(asked.results),
        "planted": lambda: planted_cluster(asked.results),
    }
    for line in what[asked.what]():
        print(line, flush=True)


if __name__ == "__main__":
    main()
