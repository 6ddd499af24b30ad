"""What the tests of organisation are worth: false positives where nothing is organised, power where it is.

Run ``python -m benchmarks.calibration.organisation worlds --draws 200`` (simulated layers, 384 neurons, sets of 19;
about half a second a draw and world) or ``modularity``. The tables stand in ``docs/methods/organisation.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, rankdata

from benchmarks.calibration.set_designs import deciles
from rare_neurons.numerics.organisation.coactivation import CoActivation, Split, pair_means
from rare_neurons.numerics.organisation.communities import cross_modularity, in_sample_modularity
from rare_neurons.numerics.organisation.comparison import share_as_far
from rare_neurons.numerics.organisation.matching import draw_matched_sets
from rare_neurons.numerics.organisation.residuals import correlations, standardised_residuals

LEVEL = 0.05
DRAWS, LABELS = 999, 99
Array = NDArray[np.float64]
NULL_WORLDS = ("iid", "variance", "frequency", "one factor", "two factors", "many factors")


@dataclass(frozen=True, eq=False)
class World:
    """A simulated layer.

    Attributes
    ----------
    activations : list of array [row, neuron]
        Of two parts.
    log_p : list of array [row]
        Token frequency of each part's rows.
    covariates : array [neuron, covariate]
    chosen : int array [g]
        The top neurons by an influence that follows activation size (and frequency, in that world).
    """

    activations: list[Array]
    log_p: list[Array]
    covariates: Array
    chosen: NDArray[np.int64]


def make_world(
    kind: str, rng: np.random.Generator, *, n: int = 384, rows: int = 1000, g: int = 19, planted: float = 0.0
) -> World:
    """Draw a layer in which neurons are correlated by kind, and the chosen ones by `planted` (r² or r) besides.

    ``variance``: neurons that vary more load more on a common factor. ``frequency``: activations follow the token's
    frequency, and so does influence. ``one/two/many factors``: global low-rank structure.
    """
    sd, w_out, w_in = np.exp(rng.normal(0, 0.7, n)), np.exp(rng.normal(0, 0.3, n)), np.exp(rng.normal(0, 0.3, n))
    influence = sd * w_out * rng.normal(size=n)
    loadings = np.zeros((1, n))
    if kind == "variance":
        loadings = np.clip(0.3 * rankdata(sd) / n, 0, 0.95)[None]
    elif kind in ("one factor", "two factors", "many factors"):
        k = {"one factor": 1, "two factors": 2, "many factors": 30}[kind]
        loadings = rng.normal(size=(k, n)) * (np.arange(1, k + 1) ** -0.5)[:, None]
        loadings *= 0.4 / np.sqrt((loadings**2).sum(0)) if k > 1 else 0.4
        loadings = np.clip(loadings, -0.9, 0.9)
    slope = rng.normal(0, 0.3, n) if kind == "frequency" else np.zeros(n)
    if kind == "frequency":
        influence = sd * w_out * (slope + 0.05 * rng.normal(size=n))
    chosen = np.sort(np.argsort(-np.abs(influence))[:g])
    activations, log_p = [], []
    for _ in range(2):
        x = rng.normal(size=rows)
        own = np.sqrt(1 - (loadings**2).sum(0))
        a = rng.normal(size=(rows, len(loadings))) @ loadings + own * rng.normal(size=(rows, n)) + x[:, None] * slope
        if planted:
            a[:, chosen] = np.sqrt(planted) * rng.normal(size=(rows, 1)) + np.sqrt(1 - planted) * a[:, chosen]
        activations.append(a * sd)
        log_p.append(x)
    return World(activations, log_p, np.stack([w_in, w_out, sd**2, w_out * sd], axis=1), chosen)


def frequency_design(log_p: Array) -> Array:
    """Twenty bins of a frequency, itself and its square."""
    bins = np.digitize(log_p, np.quantile(log_p, np.linspace(0.05, 0.95, 19)))
    return np.concatenate([np.eye(20)[bins], np.stack([log_p, log_p**2], 1)], axis=1)


def split_of(world: World, *, residual: bool = True) -> Split:
    """Correlations of both parts."""
    designs = [frequency_design(x) if residual else None for x in world.log_p]
    made = [standardised_residuals(a, d) for a, d in zip(world.activations, designs, strict=True)]
    return Split(*(correlations(z) for z in made))


def p_values(world: World, rng: np.random.Generator, draws: int = DRAWS) -> dict[str, float]:
    """p of the decision, of the signed one, and of what matching alone, or matching by deciles, would say."""
    matched = draw_matched_sets(world.chosen, world.covariates, rng, n_sets=draws)
    raw, layer = split_of(world, residual=False), CoActivation([split_of(world)])
    values = layer(np.concatenate([world.chosen[None], matched.sets]))
    names = ("excess_square_correlation", "excess_correlation", "mean_square_correlation")
    out = {}
    for k, name in enumerate(names):
        out[name] = share_as_far(matched.adjusted(values[:, k]), values[0, k], "upper")
    by_decile = deciles(world.chosen, world.covariates[:, :3], rng, draws)
    squares = pair_means(raw.first * raw.second, np.concatenate([world.chosen[None], by_decile]))
    out["raw r2, matched by deciles"] = share_as_far(squares[1:], squares[0], "upper")
    return out


def rates(kind: str, sims: int, planted: float = 0.0, seed: int = 0) -> dict[str, float]:
    """Share of p ≤ .05 in one world."""
    rng = np.random.default_rng([seed, *kind.encode(), round(planted * 1000)])
    found = [p_values(make_world(kind, rng, planted=planted), rng) for _ in range(sims)]
    return {name: float(np.mean([p[name] <= LEVEL for p in found])) for name in found[0]}


def community_world(kind: str, rng: np.random.Generator, *, g: int, strength: float, rows: int = 1000) -> Split:
    """Correlations of a set: independent, with one factor of equal or unequal loadings, or in two communities."""
    loading = {"iid": 0.0, "one factor": 0.5}.get(kind, 0.3) * np.ones(g)
    if kind == "unequal loadings":
        loading = np.linspace(0, 0.8, g)
    parts = []
    for _ in range(2):
        a = loading * rng.normal(size=(rows, 1)) + np.sqrt(1 - loading**2) * rng.normal(size=(rows, g))
        if kind == "planted":
            a = np.sqrt(1 - strength) * a + np.sqrt(strength) * rng.normal(size=(rows, 2))[:, np.arange(g) % 2]
        parts.append(correlations(standardised_residuals(a)))
    return Split(*parts)


def modularity_rates(kind: str, sims: int, *, g: int, strength: float = 0.0, seed: int = 0) -> tuple[float, float]:
    """Share of p ≤ .05 of permuted labels, and the mean modularity on the rows that found the communities."""
    rng = np.random.default_rng([seed, g, *kind.encode(), round(strength * 1000)])
    hits, inside = [], []
    for _ in range(sims):
        split = community_world(kind, rng, g=g, strength=strength)
        found = cross_modularity(split, np.arange(g), n_rows=(1000, 1000), rng=rng, n_labels=LABELS)
        hits.append(found.p_labels <= LEVEL)
        inside.append(in_sample_modularity(split.first))
    return float(np.mean(hits)), float(np.mean(inside))


def _worlds(sims: int) -> Iterator[str]:
    cases = [(kind, 0.0) for kind in NULL_WORLDS] + [("iid", r2) for r2 in (0.0016, 0.005, 0.01, 0.02, 0.04)]
    cases += [("many factors", r) for r in (0.01, 0.04)]
    for kind, planted in cases:
        found = rates(kind, sims, planted)
        interval = binomtest(round(found["excess_square_correlation"] * sims), sims).proportion_ci(0.95, "wilson")
        shown = ", ".join(f"{name} {rate:.3f}" for name, rate in found.items())
        yield f"{kind}, planted {planted}: {shown}; decision {interval.low:.3f} to {interval.high:.3f}"


def _modularity(sims: int) -> Iterator[str]:
    cases = [("iid", 0.0), ("one factor", 0.0), ("unequal loadings", 0.0), ("planted", 0.02), ("planted", 0.05)]
    for g in (19, 50):
        for kind, strength in cases:
            rate, inside = modularity_rates(kind, sims, g=g, strength=strength)
            yield f"g={g} {kind} {strength}: p ≤ .05 in {rate:.3f}; modularity on the same rows {inside:.3f}"


WHAT: dict[str, Callable[[int], Iterator[str]]] = {"worlds": _worlds, "modularity": _modularity}


def main() -> None:
    """Print one line for each world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("--draws", type=int, default=200)
    asked = parser.parse_args()
    for line in WHAT[asked.what](asked.draws):
        print(line, flush=True)


if __name__ == "__main__":
    main()
