"""Error rates of the set spectrum: false positives after selection, power against a planted correlation.

Run ``python -m benchmarks.calibration.set_spectra`` (about six CPU-minutes); the table stands in
``docs/methods/organisation.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.organisation.matching import draw_matched_sets, neuron_covariates, placebo_set
from rare_neurons.numerics.organisation.set_spectra import SetSpectrum, measure_set_spectrum

LEVEL = 0.05
PERMUTATIONS = 199  # (9 + 1) / 200 is exactly the level


@dataclass(frozen=True)
class Model:
    """A final layer without structure: random directions, random norms, targets drawn from its own distribution."""

    w_in: NDArray[np.float64]
    w_out: NDArray[np.float64]
    variance: NDArray[np.float64]  # of the activations
    influence: NDArray[np.float64]  # on the rare targets of part A of the grid, to second order
    gradients: NDArray[np.float64]  # mean gradient of the loss in the residual, part A of the grid, rare and common


def structure_free_model(
    rng: np.random.Generator,
    *,
    n_neurons: int,
    d_model: int,
    reaction: float = 2.0,
    vocab: int = 128,
    n_targets: int = 150,
) -> Model:
    """Draw a model whose rare and common targets have different mean activations but whose rows have no structure.

    ``reaction`` is the scatter over neurons of that difference, in units of an activation's scatter over contexts.
    """
    w_in = rng.standard_normal((n_neurons, d_model)) * rng.lognormal(0, 0.3, (n_neurons, 1))
    w_out = rng.standard_normal((n_neurons, d_model)) * rng.lognormal(-6, 0.5, (n_neurons, 1))
    unembedding = rng.standard_normal((d_model, vocab)) / np.sqrt(d_model)
    unigram = 1 / np.arange(1, vocab + 1)
    rare = np.arange(vocab) >= vocab // 2
    size = np.linalg.norm(w_in, axis=1) / np.sqrt(d_model)
    shift = reaction * rng.standard_normal(n_neurons)  # how each neuron reacts to contexts of rare targets

    def draw(stratum: NDArray[np.bool_], shift: NDArray[np.float64]):
        residual = rng.standard_normal((n_targets, d_model))
        logits = residual @ unembedding + np.log(unigram)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        within = np.cumsum(p * stratum, axis=1)
        target = (within < rng.random((n_targets, 1)) * within[:, -1:]).sum(axis=1)
        activation = np.maximum(rng.standard_normal((n_targets, n_neurons)) + shift, 0) * size
        return p, target, activation, (p @ unembedding.T - unembedding.T[target]).mean(axis=0)

    p, target, activation, rare_gradient = draw(rare, shift)
    _, _, natural, common_gradient = draw(~rare, np.zeros(n_neurons))
    delta = natural.mean(axis=0) - activation
    change = w_out @ unembedding
    mean, square = p @ change.T, p @ (change**2).T
    loss_change = delta * (mean - change.T[target]) + delta**2 / 2 * (square - mean**2)
    return Model(w_in, w_out, natural.var(axis=0), loss_change.mean(axis=0), np.stack([rare_gradient, common_gradient]))


def judge(
    w_in: NDArray[np.float64],
    w_out: NDArray[np.float64],
    variance: NDArray[np.float64],
    chosen: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    gradients: NDArray[np.float64] | None = None,
) -> dict[str, SetSpectrum]:
    """Measure a chosen set on W_in, on W_out and, where gradients are given, on W_out without them."""
    matched = draw_matched_sets(chosen, neuron_covariates(w_in, w_out, variance), rng, n_sets=PERMUTATIONS)
    placebo = placebo_set(w_out, variance, len(chosen))
    cases = {"w_in": (w_in, None), "w_out": (w_out, None)}
    if gradients is not None:
        cases["w_out_projected"] = (w_out, gradients)
    return {
        name: measure_set_spectrum(rows, matched, placebo, rng=rng, directions=directions)
        for name, (rows, directions) in cases.items()
    }


def false_positives(
    n_models: int, *, n_set: int = 33, n_neurons: int = 512, d_model: int = 128, reaction: float = 2.0, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Rates of p_value and of claim_p at 5 % for the top boost neurons of part A, with and without the gradients."""
    found: dict[str, list[tuple[bool, bool]]] = {}
    for model_seed in np.random.SeedSequence(seed).spawn(n_models):
        rng = np.random.default_rng(model_seed)
        model = structure_free_model(rng, n_neurons=n_neurons, d_model=d_model, reaction=reaction)
        chosen = np.argsort(-model.influence)[:n_set]
        judged = judge(model.w_in, model.w_out, model.variance, chosen, rng, gradients=model.gradients)
        for name, row in judged.items():
            found.setdefault(name, []).append(decisions(row))
    return {name: tuple(np.mean(rows, axis=0)) for name, rows in found.items()}


def decisions(row: SetSpectrum) -> tuple[bool, bool]:
    """Return whether p_value, and whether claim_p, is at most the level."""
    return row.p_value <= LEVEL, row.claim_p is not None and row.claim_p <= LEVEL


def power(
    n_models: int, *, correlation: float, n_set: int = 33, n_neurons: int = 1024, d_model: int = 512, seed: int = 0
) -> tuple[float, float]:
    """Rates of p_value and of claim_p at 5 % when the rows of the set share one direction so that they correlate."""
    found = []
    for model_seed in np.random.SeedSequence(seed).spawn(n_models):
        rng = np.random.default_rng(model_seed)
        rows = rng.standard_normal((n_neurons, d_model))
        chosen = rng.choice(n_neurons, n_set, replace=False)
        common = rng.standard_normal(d_model)
        rows[chosen] = np.sqrt(1 - correlation) * rows[chosen] + np.sqrt(correlation) * common
        rows *= rng.lognormal(0, 0.3, (n_neurons, 1))
        w_in = rng.standard_normal((n_neurons, 8))
        found.append(decisions(judge(w_in, rows, rng.lognormal(size=n_neurons), chosen, rng)["w_out"]))
    return tuple(np.mean(found, axis=0))


def main() -> None:
    """Print both tables as Markdown, each cell `p_value / claim_p`."""
    print(
        "| set selected on part A of the grid | W_in | W_out raw | W_out without gradients |\n| --- | --- | --- | --- |"
    )
    for n_set, n_neurons, d_model, n_models in ((33, 384, 96, 200), (33, 512, 128, 200)):
        rate = false_positives(n_models, n_set=n_set, n_neurons=n_neurons, d_model=d_model)
        cells = " | ".join(_percent(rate[name]) for name in ("w_in", "w_out", "w_out_projected"))
        print(f"| {n_set} of {n_neurons} neurons, d_model {d_model}, {n_models} models | {cells} |", flush=True)
    print("\n| planted correlation, 33 neurons | d_model 96 | 256 | 512 | 1024 |\n| --- | --- | --- | --- | --- |")
    for correlation in (0.01, 0.02, 0.03, 0.05):
        cells = " | ".join(_percent(power(50, correlation=correlation, d_model=d)) for d in (96, 256, 512, 1024))
        print(f"| {correlation} | {cells} |", flush=True)


def _percent(rates: tuple[float, float]) -> str:
    return " / ".join(f"{100 * rate:.1f} %" for rate in rates)


if __name__ == "__main__":
    main()
