"""The null of alpha: level on untrained weights of any scale and law of the entries, dates while weights drift.

Run ``python -m benchmarks.calibration.alpha_null`` (four CPU-minutes) to print the tables of docs/methods/spectra.md.
With a results folder as its argument it says where the matrices of its models lie instead.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp, kstest

from rare_neurons.numerics.spectra.eigenvalues import eigenvalues
from rare_neurons.numerics.spectra.gaussian_null import GaussianNull, draw_alpha_null, n_null_draws
from rare_neurons.numerics.spectra.leaving import LEVEL, alpha_in_null, date_leaving, ratio_in_null, xmin_jumps
from rare_neurons.numerics.spectra.power_law import fit_power_law
from rare_neurons.results import load_timeline

Entries = Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]]
STEPS = np.arange(12)


@dataclass(frozen=True)
class Level:
    """p of matrices that have the null's own law, or another.

    Attributes
    ----------
    uniform_p : float
        That alpha's p is uniform: two-sample Kolmogorov-Smirnov p of the exponents and the draws, a sample too.
    alpha, ratio : float
        Share of the matrices with p of at most .05.
    """

    n: int
    uniform_p: float
    alpha: float
    ratio: float


def gaussian(rng: np.random.Generator, shape: tuple[int, int], *, sd: float = 1.0) -> NDArray[np.float64]:
    """Entries as a checkpoint stores them."""
    return (sd * rng.standard_normal(shape, dtype=np.float32)).astype(np.float64)


def student(rng: np.random.Generator, shape: tuple[int, int], *, freedom: float) -> NDArray[np.float64]:
    """Heavy-tailed entries."""
    return rng.standard_t(freedom, shape)


def place(weights: NDArray[np.float64], null: GaussianNull) -> tuple[float, float, int, float]:
    """p of alpha and of the largest eigenvalue, the size of the tail, alpha."""
    values = eigenvalues(weights)
    fit = fit_power_law(values)
    alpha = alpha_in_null(fit.alpha, null, mean_square=float(np.mean(weights**2)))
    return alpha.p, ratio_in_null(float(values[-1] / np.median(values)), null).p, fit.n_tail, fit.alpha


def level_of(entries: Entries, null: GaussianNull, *, n: int, shape: tuple[int, int], seed: int) -> Level:
    """Place `n` matrices."""
    rng = np.random.default_rng([seed, *shape])
    found = np.array([place(entries(rng, shape), null) for _ in range(n)])
    alpha, ratio = (found[:, :2] <= 0.05).mean(axis=0)
    return Level(n, float(ks_2samp(found[:, 3], null.alpha).pvalue), float(alpha), float(ratio))


def drift(rng: np.random.Generator, null: GaussianNull, *, rho: float) -> tuple[NDArray, NDArray, NDArray[np.bool_]]:
    """p of alpha and of the ratio over twelve checkpoints of a matrix that stays Gaussian, and its jumps of xmin."""
    shape, found = (null.long, null.short), []
    weights = gaussian(rng, shape)
    for step in STEPS:
        if step:
            weights = rho * weights + np.sqrt(1 - rho**2) * gaussian(rng, shape)
        found.append(place(weights, null))
    alpha, ratio, tails, _ = (np.array(column) for column in zip(*found, strict=True))
    return alpha, ratio, xmin_jumps(tails, null.short)


def dated_by_chance(null: GaussianNull, *, rho: float, n: int, matrices: int, seed: int) -> tuple[float, ...]:
    """Shares of matrices outside at the start, dated by alpha and by the ratio, and of checkpoints with a jump."""
    rng = np.random.default_rng([seed, round(1000 * rho)])
    level, start, alpha, ratio, jumps = LEVEL / matrices, 0, 0, 0, []
    for _ in range(n):
        p, q, jumped = drift(rng, null, rho=rho)
        start += date_leaving(STEPS, p, level=level).status == "outside_at_start"
        alpha += date_leaving(STEPS, p, level=level).status == "left"
        ratio += date_leaving(STEPS, q, level=level).status == "left"
        jumps.append(jumped.mean())
    return start / n, alpha / n, ratio / n, float(np.mean(jumps))


def null_of(shape: tuple[int, int], n_draws: int = 999) -> GaussianNull:
    """A null as the pipeline draws it."""
    return draw_alpha_null(*shape, n_draws, np.random.default_rng([0, max(shape), min(shape)]))


def print_levels() -> None:
    """Print the level by shape, scale and law of the entries."""
    print(
        "| shape | entries | null 5 / 50 / 95 % | p uniform: KS p | alpha, p ≤ .05 | λmax/median, p ≤ .05 | matrices |"
    )
    print("| --- " * 7 + "|")
    laws: dict[str, Entries] = {
        "Gaussian, sd 1": gaussian,
        "Gaussian, sd 0.02": partial(gaussian, sd=0.02),
        "Gaussian, sd 0.002": partial(gaussian, sd=0.002),
        "uniform": lambda rng, shape: rng.uniform(-1, 1, shape),
        "Student, 5 degrees": partial(student, freedom=5),
        "Student, 3 degrees": partial(student, freedom=3),
    }
    few = dict(list(laws.items())[1:2])
    shapes = {(96, 96): (laws, 600), (384, 96): (laws, 600), (4096, 96): (few, 300), (512, 512): (few, 200)}
    for shape, (chosen, n) in {**shapes, (2048, 512): (few, 200), (50304, 512): (few, 20)}.items():
        null = null_of(shape)
        band = " / ".join(f"{x:.2f}" for x in np.quantile(null.alpha, (0.05, 0.5, 0.95)))
        for seed, (name, entries) in enumerate(chosen.items(), start=1):  # 0 is that of the null
            found = level_of(entries, null, n=n, shape=shape, seed=seed)
            print(
                f"| {shape[0]} x {shape[1]} | {name} | {band} | {found.uniform_p:.2f} | {found.alpha:.3f} "
                f"| {found.ratio:.3f} | {found.n} |",
                flush=True,
            )


def print_drift(*, n: int = 500, matrices: int = 20) -> None:
    """Print what is dated where nothing leaves."""
    print(
        "\n| correlation of neighbours | outside at step 0 | dated: alpha | dated: λmax/median | jumps of xmin | of |"
    )
    print("| --- " * 6 + "|")
    null = null_of((96, 96), n_null_draws(matrices))
    for rho in (0.999, 0.98, 0.9, 0.5):
        shares = dated_by_chance(null, rho=rho, n=n, matrices=matrices, seed=2)
        print(f"| {rho:g} | " + " | ".join(f"{share:.4f}" for share in shares) + f" | {n} |", flush=True)


def print_results(folder: str, models: Sequence[str] | None = None) -> None:
    """Print where the matrices of a results folder lie at step 0, and when they leave."""
    rows = load_timeline(folder, "alpha", models=models, steps=[0])
    events = load_timeline(folder, "alpha_events", models=models)
    print(
        "\n| model | matrices | least p at step 0 | p uniform: KS p | quantity | dated | by step: first, median, last |"
    )
    print("| --- " * 7 + "|")
    for (model, quantity), found in events.groupby(["model", "quantity"]):
        p = rows.alpha_null_p[rows.model == model]
        left = found.by_step.dropna()
        dates = f"{left.min():.0f} / {left.median():.0f} / {left.max():.0f}"
        print(
            f"| {model} | {len(p)} | {p.min():.3f} | {kstest(p, 'uniform').pvalue:.2f} | {quantity} "
            f"| {len(left)} of {len(found)} | {dates} |"
        )


def main() -> None:
    """Print the tables as Markdown."""
    if len(sys.argv) > 1:
        print_results(sys.argv[1])
        return
    print_levels()
    print_drift()


if __name__ == "__main__":
    main()
