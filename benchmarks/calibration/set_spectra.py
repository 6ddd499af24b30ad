"""Error rates of the set spectrum: false positives after selection, power against a planted correlation.

Run ``python -m benchmarks.calibration.set_spectra`` (about two CPU-minutes); the table stands in
``docs/methods/organisation.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.organisation.set_spectra import measure_set_spectrum

LEVEL = 0.05
PERMUTATIONS = 199  # (9 + 1) / 200 is exactly the level


@dataclass(frozen=True)
class Model:
    """A final layer without structure: random directions, random norms, targets drawn from its own distribution."""

    w_in: NDArray[np.float64]
    w_out: NDArray[np.float64]
    covariates: NDArray[np.float64]
    influence: NDArray[np.float64]  # on the rare targets of half A, to second order
    gradients: NDArray[np.float64]  # mean gradient of the loss in the residual, half A, rare and common


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
    covariates = np.stack([np.linalg.norm(w_in, axis=1), np.linalg.norm(w_out, axis=1), natural.var(axis=0)], axis=1)
    return Model(w_in, w_out, covariates, loss_change.mean(axis=0), np.stack([rare_gradient, common_gradient]))


def false_positives(
    n_models: int, *, n_set: int = 33, n_neurons: int = 512, d_model: int = 128, reaction: float = 2.0, seed: int = 0
) -> dict[str, float]:
    """Rejection rate at 5 % for the top boost neurons of half A, rows with and without the gradients."""
    rejected = {"w_in": 0, "w_out": 0, "w_out_projected": 0}
    for model_seed in np.random.SeedSequence(seed).spawn(n_models):
        rng = np.random.default_rng(model_seed)
        model = structure_free_model(rng, n_neurons=n_neurons, d_model=d_model, reaction=reaction)
        chosen = np.argsort(-model.influence)[:n_set]
        cases = {
            "w_in": (model.w_in, None),
            "w_out": (model.w_out, None),
            "w_out_projected": (model.w_out, model.gradients),
        }
        for name, (rows, directions) in cases.items():
            result = measure_set_spectrum(
                rows, chosen, model.covariates, rng=rng, directions=directions, n_permutations=PERMUTATIONS
            )
            rejected[name] += result.p_value <= LEVEL
    return {name: count / n_models for name, count in rejected.items()}


def power(
    n_models: int, *, correlation: float, n_set: int = 33, n_neurons: int = 1024, d_model: int = 512, seed: int = 0
) -> float:
    """Rejection rate at 5 % when the rows of the set share one direction so that they correlate."""
    rejected = 0
    for model_seed in np.random.SeedSequence(seed).spawn(n_models):
        rng = np.random.default_rng(model_seed)
        rows = rng.standard_normal((n_neurons, d_model))
        chosen = rng.choice(n_neurons, n_set, replace=False)
        common = rng.standard_normal(d_model)
        rows[chosen] = np.sqrt(1 - correlation) * rows[chosen] + np.sqrt(correlation) * common
        covariates = np.stack(
            [rng.lognormal(size=n_neurons), np.linalg.norm(rows, axis=1), rng.lognormal(size=n_neurons)], 1
        )
        result = measure_set_spectrum(rows, chosen, covariates, rng=rng, n_permutations=PERMUTATIONS)
        rejected += result.p_value <= LEVEL
    return rejected / n_models


def main() -> None:
    """Print both tables as Markdown."""
    print("| set selected on half A | W_in | W_out raw | W_out without gradients |\n| --- | --- | --- | --- |")
    for n_set, n_neurons, d_model, n_models in ((33, 384, 96, 1000), (33, 512, 128, 1000), (100, 512, 128, 300)):
        rate = false_positives(n_models, n_set=n_set, n_neurons=n_neurons, d_model=d_model)
        cells = " | ".join(f"{100 * rate[name]:.1f} %" for name in ("w_in", "w_out", "w_out_projected"))
        print(f"| {n_set} of {n_neurons} neurons, d_model {d_model}, {n_models} models | {cells} |", flush=True)
    print("\n| planted correlation, 33 neurons | d_model 96 | 256 | 512 | 1024 |\n| --- | --- | --- | --- | --- |")
    for correlation in (0.01, 0.02, 0.03, 0.05):
        cells = " | ".join(
            f"{100 * power(100, correlation=correlation, d_model=d):.0f} %" for d in (96, 256, 512, 1024)
        )
        print(f"| {correlation} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
