"""What matching is worth on weights of trained models: sets that were chosen by covariates, and by influence.

Run ``python -m benchmarks.calibration.set_matching results`` on a results folder with ``pretrain``, ``influence``,
``activations`` and ``gradients`` of some models (about two CPU-minutes for three runs of the demo); ``--designs``
compares other ways to match. The tables stand in ``docs/methods/organisation.md``.

Sets by covariates and noise know nothing of the rows beyond the covariates: their p should be uniform for any rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kstest, t

from benchmarks.calibration import set_designs
from rare_neurons.numerics.organisation.edge import edge_sets
from rare_neurons.numerics.organisation.matching import (
    draw_matched_sets,
    features_of,
    neuron_covariates,
    placebo_set,
)
from rare_neurons.numerics.organisation.row_correlations import top_eigenvalues, unit_rows
from rare_neurons.numerics.organisation.set_spectra import SetSpectrum, measure_set_spectrum
from rare_neurons.stages.set_spectra import read_final_mlp
from rare_neurons.tables import read_table

LEVEL = 0.05
DRAWS = 199  # (9 + 1) / 200 is exactly the level
SHARE = 0.05
FIRST_STEP = 16
NOISE = (0.25, 0.5, 1.0)  # sd added to a covariate's normal score
COVARIATES = ("|w_in|", "activation variance", "|w_out|·sd")


@dataclass(frozen=True)
class Checkpoint:
    """Weights of one checkpoint's last MLP and what its sets are chosen by."""

    model: str
    step: int
    w_in: NDArray[np.float64]
    w_out: NDArray[np.float64]
    variance: NDArray[np.float64]
    gradients: NDArray[np.float64]
    influence: dict[str, NDArray[np.float64]]

    def sets(self, rng: np.random.Generator) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """Yield sets by kind: of covariates alone, of covariates and noise, at random, of influence."""
        scores = features_of(neuron_covariates(self.w_in, self.w_out, self.variance))[:, [0, 2, 3]].T
        size, n = max(2, round(SHARE * len(self.w_in))), len(self.w_in)
        for name, score in zip(COVARIATES, scores, strict=True):
            yield f"top by {name}", np.argsort(-score)[:size]
            for sd in NOISE:
                yield f"by a covariate and noise of {sd}", np.argsort(-score - sd * rng.standard_normal(n))[:size]
            yield "at random", rng.permutation(n)[:size]
        for stratum, values in self.influence.items():
            yield f"top by |influence|, {stratum}", np.argsort(-np.abs(values))[:size]

    def rows(self) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64] | None]]:
        """Return matrices, and what is projected out of them."""
        return {"W_in": (self.w_in, None), "W_out": (self.w_out, None), "W_out -g": (self.w_out, self.gradients)}


def checkpoints(results: Path, select: str = "influence_a") -> Iterator[Checkpoint]:
    """Read checkpoints from step 16 on of every model that was trained here, on the first panel."""
    panel = sorted(path.name for path in (results / "influence").iterdir())[0]
    for folder in sorted((results / "pretrain").glob("*/step*"), key=lambda p: (p.parent.name, int(p.name[4:]))):
        model, step = folder.parent.name, int(folder.name[4:])
        if step < FIRST_STEP:
            continue
        shard = {name: results / name / panel / model / f"step{step}.parquet" for name in _SHARDS}
        influence = read_table(shard["influence"], ["stratum", select]).to_pandas()
        yield Checkpoint(
            model,
            step,
            *read_final_mlp(folder),
            read_table(shard["activations"], ["activation_variance"])["activation_variance"].to_numpy(),
            np.stack([row.values.to_numpy() for row in read_table(shard["gradients"], ["gradient"])["gradient"]]),
            {s: rows[select].to_numpy() for s, rows in influence.groupby("stratum") if s in ("rare", "common")},
        )


_SHARDS = ("influence", "activations", "gradients")
Found = dict[str, list[tuple[str, str, SetSpectrum]]]  # by kind: model, matrix, result


def judge_all(results: Path, repeats: int = 4, seed: int = 0) -> Found:
    """Measure every set on every matrix of every checkpoint; sets with noise are drawn anew in each repeat."""
    found: Found = {}
    rng = np.random.default_rng(seed)
    for checkpoint in checkpoints(results):
        covariates = neuron_covariates(checkpoint.w_in, checkpoint.w_out, checkpoint.variance)
        for repeat in range(repeats):
            for kind, chosen in checkpoint.sets(rng):
                if repeat and kind.startswith("top by"):
                    continue
                matched = draw_matched_sets(chosen, covariates, rng, n_sets=DRAWS)
                placebo = placebo_set(checkpoint.w_out, checkpoint.variance, len(chosen))
                edge = edge_sets(chosen, covariates, rng, n_sets=DRAWS) if matched.reason else None
                for matrix, (rows, directions) in checkpoint.rows().items():
                    row = measure_set_spectrum(rows, matched, placebo, rng=rng, directions=directions, edge=edge)
                    found.setdefault(kind, []).append((checkpoint.model, matrix, row))
    return found


def by_run(values: list[tuple[str, bool]]) -> tuple[list[float], tuple[float, float]]:
    """Return rates of each run, and the t interval (95 %) of their mean."""
    models = dict.fromkeys(model for model, _ in values)
    rates = [float(np.mean([value for model, value in values if model == one])) for one in models]
    if len(rates) < 2:
        return rates, (0.0, 1.0)
    half = t.ppf(0.975, len(rates) - 1) * np.std(rates, ddof=1) / np.sqrt(len(rates))
    return rates, (float(np.mean(rates) - half), float(np.mean(rates) + half))


def table_of_sets(found: Found) -> Iterator[str]:
    """Yield lines of Markdown: rates of p_value and claim_p by kind, and what may be identified."""
    yield "| chosen | p ≤ 0.05, by run | interval | uniform? (KS) | not identifiable | claim p ≤ 0.05, by run |"
    yield "| --- | --- | --- | --- | --- | --- |"
    covariates = [row for kind, rows in found.items() if kind.startswith("top by") and "influence" not in kind
                  for row in rows]  # fmt: skip
    for kind, rows in {**found, "pooled: top by a covariate": covariates}.items():
        rates, (low, high) = by_run([(model, row.p_value <= LEVEL) for model, _, row in rows])
        claims, _ = by_run([(model, row.claim_p is not None and row.claim_p <= LEVEL) for model, _, row in rows])
        distance = kstest([row.p_value for *_, row in rows], "uniform").statistic
        silent = np.mean([row.status != "ok" for *_, row in rows])
        cells = [kind, _joined(rates), f"{low:.3f} to {high:.3f}", f"{distance:.3f}", f"{silent:.2f}", _joined(claims)]
        yield "| " + " | ".join(cells) + " |"


def table_of_influence(found: Found) -> Iterator[str]:
    """Yield lines of Markdown: claims by matrix and run for sets that were chosen by influence."""
    yield "| chosen | matrix | p ≤ 0.05, by run | exceeds the placebo, by run | both, by run |"
    yield "| --- | --- | --- | --- | --- |"
    for kind, every in found.items():
        for matrix in dict.fromkeys(matrix for _, matrix, _ in every) if "influence" in kind else ():
            rows = [(model, row) for model, at, row in every if at == matrix]
            passed: tuple[Callable[[SetSpectrum], bool], ...] = (
                lambda row: row.p_value <= LEVEL,
                lambda row: row.placebo_excess_p <= LEVEL,
                lambda row: row.claim_p is not None and row.claim_p <= LEVEL,
            )
            rates = [_joined(by_run([(model, test(row)) for model, row in rows])[0]) for test in passed]
            yield "| " + " | ".join([kind, matrix, *rates]) + " |"


def table_of_designs(results: Path, seed: int = 0) -> Iterator[str]:
    """Yield lines of Markdown: rate of p ≤ 0.05 by kind of set, for each way to match."""
    designs = [d.__name__ for d in (*_DESIGNS, set_designs.without_common_directions)]
    rates: dict[str, dict[str, list[bool]]] = {}
    rng = np.random.default_rng(seed)
    for checkpoint in checkpoints(results):
        covariates = neuron_covariates(checkpoint.w_in, checkpoint.w_out, checkpoint.variance)
        for kind, chosen in checkpoint.sets(rng):
            kind = "top by a covariate" if kind.startswith("top by") and "influence" not in kind else kind
            sets = {d.__name__: d(chosen, covariates, rng, DRAWS) for d in _DESIGNS}
            for rows, directions in checkpoint.rows().values():
                unit = unit_rows(rows, directions)
                tested = {name: (unit, sets[name]) for name in sets}
                left = set_designs.without_common_directions(unit, chosen)
                tested["without_common_directions"] = (left, sets["deciles"])
                for name, (values, random) in tested.items():
                    top = top_eigenvalues(values, np.concatenate([chosen[None], random]))[:, 0]
                    p = (np.count_nonzero(top[1:] >= top[0] * (1 - 1e-9)) + 1) / (len(random) + 1)
                    rates.setdefault(kind, {}).setdefault(name, []).append(p <= LEVEL)
    yield "| chosen | " + " | ".join(designs) + " |\n| --- |" + " --- |" * len(designs)
    for kind, row in rates.items():
        yield f"| {kind} | " + " | ".join(f"{np.mean(row[name]):.2f}" for name in designs) + " |"


_DESIGNS = (set_designs.deciles, set_designs.neighbours, set_designs.swaps, set_designs.propensities, set_designs.edges)


def _joined(rates: list[float]) -> str:
    return ", ".join(f"{rate:.2f}" for rate in rates)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--designs", action="store_true", help="compare other ways to match instead")
    arguments = parser.parse_args()
    if arguments.designs:
        print("\n".join(table_of_designs(arguments.results)))
        return
    found = judge_all(arguments.results)
    print("\n".join([*table_of_sets(found), "", *table_of_influence(found)]))


if __name__ == "__main__":
    main()
