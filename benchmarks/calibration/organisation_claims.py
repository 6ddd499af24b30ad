"""What claims about organisation and kinds are worth: errors of all questions together, and what is found.

Run ``python -m benchmarks.calibration.organisation_claims --draws 200`` (some minutes): 200 draws of all questions
together, 50 of what is found, 400 of tier `specific` where everything grows. Each draw is a ledger of three runs and
two controls at four checkpoints: sets of two strata, heads and kinds of neurons. Runs and controls are exchangeable; a
run has effects of its own, which scatter by so many standard deviations of a single set, and keeps a part of its draws
from checkpoint to checkpoint. Where everything grows, strata differ by a factor from the start and training multiplies
both. The tables stand in ``docs/methods/organisation.md``; ``--only growth`` prints that of tier `specific` alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, norm

from benchmarks.calibration.evidence_world import table
from rare_neurons.numerics.claims.asked import ask_all
from rare_neurons.numerics.claims.findings import Finding
from rare_neurons.numerics.claims.judge import Subject, judge_activity
from rare_neurons.numerics.claims.over_runs import beyond_controls, over_runs
from rare_neurons.numerics.claims.rows import ActivityEvidenceRow
from rare_neurons.numerics.claims.specific import Pair, judge_specific
from rare_neurons.numerics.evidence.comparison import Decision
from rare_neurons.numerics.evidence.question import Rule

RUNS, CONTROLS = tuple("abc"), tuple("xy")
STEPS, STRATA = (0, 16, 128, 1000), ("rare", "common")
N_NEURONS, N_SETS = 256, 999
BAND = {"null_low": -1.645, "null_median": 0.0, "null_high": 1.645}
ABOUT = {"sign": "all", "status": "ok", "reason": None}
QUANTITIES = {"excess_square_correlation": True, "square_cosine_without_gradients": False}


@dataclass(frozen=True)
class World:
    """What a draw holds.

    Attributes
    ----------
    scatter : float
        Of a run's effects over runs and controls alike, in standard deviations of a single set.
    kept : float
        Share of the variance of a set's draw that all checkpoints of a run share.
    effect : float
        Of co-activation on rare tokens, added to trained runs, in the same unit.
    base : tuple of float
        Co-activation of controls on rare and on common tokens, likewise.
    growth, growth_scatter, own_scatter : float
        By which runs have more of it on both; how its logarithm scatters over runs and controls, for both strata alike
        and for each.
    specific : float
        By which runs have more of it on rare tokens alone.
    dead, dead_scatter : float
        Chance of a trained neuron to be dead, in runs and controls alike, and by how much its logit scatters over them.
    """

    scatter: float = 0.0
    kept: float = 0.5
    effect: float = 0.0
    base: tuple[float, float] = (0.0, 0.0)
    growth: float = 1.0
    growth_scatter: float = 0.3
    own_scatter: float = 0.1
    specific: float = 1.0
    dead: float = 0.0
    dead_scatter: float = 1.0


def ledger(world: World, rng: np.random.Generator, controls: Sequence[str] = CONTROLS) -> list[ActivityEvidenceRow]:
    """Draw one subject and judge it."""
    names = ("organisation", "sets", "routing", "kinds")
    tables: dict[str, dict[str, dict[int, list[dict]]]] = {name: {} for name in names}
    for model in (*RUNS, *controls):
        found = _course(world, rng, model in RUNS)
        for name in names:
            tables[name][model] = {step: found[step][name] for step in STEPS}
    return judge_activity(ask_all(tables, STRATA), Subject("s", RUNS, tuple(controls)), rule=Rule())


def _course(world: World, rng: np.random.Generator, is_run: bool) -> dict[int, dict[str, list[dict]]]:
    shape = (len(STRATA), 3, 2)  # by quantity, and beside matched sets or the placebo
    own, shared = world.scatter * rng.normal(size=shape[:2])[..., None], rng.normal(size=shape)
    logit = np.log(world.dead / (1 - world.dead)) + world.dead_scatter * rng.normal() if world.dead else -np.inf
    dead = 1 / (1 + np.exp(-logit))
    grown = _grown(world, rng, is_run) if any(world.base) else np.zeros(len(STRATA))
    found = {}
    for step in STEPS:
        z = world.kept**0.5 * shared + (1 - world.kept) ** 0.5 * rng.normal(size=shape)
        if step:
            z = z + own
            z[0, 0] += world.effect * is_run
            z[:, 0] += grown[:, None]
        found[step] = _rows(z, rng, dead if step else 0.0)
    return found


def _grown(world: World, rng: np.random.Generator, is_run: bool) -> np.ndarray:
    """Effects on both strata of a world in which everything grows."""
    logs = world.growth_scatter * rng.normal() + world.own_scatter * rng.normal(size=len(STRATA))
    more = np.array([world.growth * world.specific, world.growth]) if is_run else 1.0
    return np.array(world.base) * more * np.exp(logs)


def _rows(z: np.ndarray, rng: np.random.Generator, dead: float) -> dict[str, list[dict]]:
    rows: dict[str, list[dict]] = {"organisation": [], "sets": [], "routing": []}
    for k, stratum in enumerate(STRATA):
        for j, (quantity, residualised) in enumerate(QUANTITIES.items()):
            value, beside = z[k, j]
            row = {"stratum": stratum, "quantity": quantity, "residualised": residualised, "value": value}
            p = max(_p(value), _p(beside))
            rows["organisation"].append({**ABOUT, **BAND, **row, "placebo_value": value - beside, "claim_p": p})
        value, beside = z[k, 2]
        p = min(1.0, 2 * min(_p(value), _p(-value)))
        row = {"stratum": stratum, "ablation": "mean", "n_permutations": N_SETS, "interaction": value, "p_value": p}
        claim = p if value * beside > 0 else 1.0
        rows["sets"].append({**ABOUT, **BAND, **row, "placebo_interaction": value - beside, "claim_p": claim})
        other = STRATA[1 - k]
        rows["routing"].append({**ABOUT, "stratum": stratum, "against": other, "head": 0, "p_max": _p(rng.normal())})
    kinds = np.where(rng.random(N_NEURONS) < dead, "dead", "other")
    flags = {"layer": 1, "counted": True, "positional": False, "suppressor": False}
    return {**rows, "kinds": [{**flags, "kind": kind} for kind in kinds.tolist()]}


def _p(z: float) -> float:
    return float((np.floor(N_SETS * norm.sf(z)) + 1) / (N_SETS + 1))


def reached(rows: Sequence[ActivityEvidenceRow]) -> Mapping[str, set[str]]:
    """Questions that reach each tier, and those that hold at the start."""
    found: dict[str, set[str]] = {}
    for row in rows:
        if row.role == "all" and row.holds:
            found.setdefault(row.tier, set()).add(f"{row.question}, {row.stratum}")
        if row.reached is not None:
            found.setdefault("run", set()).add(f"{row.question}, {row.stratum}")
    return found


TIERS = ("run", "seeds", "beyond_control", "specific", "start")
WORLDS = {
    "nothing": World(),
    "nothing, checkpoints alike": World(kept=0.95),
    "runs and controls scatter by 1": World(scatter=1.0),
    "by 3": World(scatter=3.0),
    "by 10": World(scatter=10.0),
    "one neuron in ten dead, both sides": World(dead=0.1),
}


def level(draws: int, seed: int = 0) -> Iterator[list[str]]:
    """Share of draws in which any question reaches each tier; dead neurons of both sides are no error at `seeds`."""
    for name, world in WORLDS.items():
        rng = np.random.default_rng([seed, *name.encode()])
        hits = [reached(ledger(world, rng)) for _ in range(draws)]
        yield [name, *(_rate(sum(bool(hit.get(tier)) for hit in hits), draws) for tier in TIERS)]


def power(draws: int, seed: int = 1) -> Iterator[list[str]]:
    """Share of draws in which co-activation on rare tokens reaches each tier."""
    for effect, scatter in ((3.0, 0.5), (6.0, 0.5), (10.0, 0.5), (20.0, 0.5), (10.0, 3.0), (20.0, 3.0)):
        rng = np.random.default_rng([seed, round(10 * effect), round(10 * scatter)])
        world, wanted = World(effect=effect, scatter=scatter), "co-activation, rare"
        hits = [reached(ledger(world, rng)) for _ in range(draws)]
        shares = (_rate(sum(wanted in hit.get(tier, ()) for hit in hits), draws) for tier in TIERS[:-1])
        yield [f"effect {effect:g}, scatter {scatter:g}", *shares]


GROWN = {
    "twice on rare tokens from the start, runs grow 4 times": World(base=(10.0, 5.0), growth=4.0),
    "the same, scatter of strata .3": World(base=(10.0, 5.0), growth=4.0, own_scatter=0.3),
    "four times from the start": World(base=(20.0, 5.0), growth=4.0),
    "twenty times from the start": World(base=(20.0, 1.0), growth=4.0),
    "ten times from the start": World(base=(20.0, 2.0), growth=4.0),
    "twice, controls near the noise": World(base=(4.0, 2.0), growth=4.0),
    "twice, controls silent": World(base=(0.5, 0.25), growth=40.0),
    "six times, controls silent": World(base=(0.6, 0.1), growth=40.0),
    "alike, runs grow 4 times": World(base=(8.0, 8.0), growth=4.0),
    "rare part doubled": World(base=(20.0, 10.0), growth=2.0, specific=2.0),
    "rare part 4 times": World(base=(20.0, 10.0), growth=2.0, specific=4.0),
    "rare part 8 times": World(base=(20.0, 10.0), growth=2.0, specific=8.0),
    "rare part 4 times, controls near the noise on common tokens": World(base=(10.0, 4.0), growth=2.0, specific=4.0),
    "the same, ten times from the start": World(base=(20.0, 2.0), growth=2.0, specific=4.0),
    "rare part 16 times, controls silent": World(base=(0.5, 0.25), growth=40.0, specific=16.0),
}
SEEDS = ((3, 2), (3, 3), (5, 5))


def general_growth(draws: int, seed: int = 2) -> Iterator[list[str]]:
    """Share of draws with p ≤ 0.05 of tier `specific` alone, by numbers of runs and controls; and of differences."""
    decision = Decision(direction="rise")
    for name, world in GROWN.items():
        cells = []
        for sizes in SEEDS:
            rng = np.random.default_rng([seed, *sizes, *name.encode()])
            drawn = [_sides(world, rng, sizes) for _ in range(draws)]
            p_values = [judge_specific(*sides, decision=decision).p_value for sides in drawn]
            cells.append(_rate(sum(p is not None and p <= 0.05 for p in p_values), draws))
        differ = [[[_difference(pair) for pair in side] for side in sides] for sides in drawn]
        tests = [(over_runs(a, decision=decision), beyond_controls(a, b, decision=decision)) for a, b in differ]
        yield [name, *cells, _rate(sum(max(one.p_value for one in both) <= 0.05 for both in tests), draws)]


def _sides(world: World, rng: np.random.Generator, sizes: tuple[int, int]) -> list[list[Pair]]:
    return [_pairs(world, rng, n, are_runs) for n, are_runs in zip(sizes, (True, False), strict=True)]


def _pairs(world: World, rng: np.random.Generator, n: int, are_runs: bool) -> list[Pair]:
    found = []
    for _ in range(n):
        z = _grown(world, rng, are_runs)[:, None] + rng.normal(size=(2, 2))
        found.append(Pair(*(Finding(STEPS[-1], *map(float, row), spread=1.0) for row in z)))
    return found


def _difference(pair: Pair) -> Finding:
    """Compare strata by differences, which grow with everything."""
    one, other = pair.first, pair.second
    return Finding(one.step, one.beyond - other.beyond, one.placebo - other.placebo, 2**0.5)


def _rate(hits: int, draws: int) -> str:
    interval = binomtest(hits, draws).proportion_ci(0.95, "wilson")
    return f"{hits / draws:.3f} ({interval.low:.3f} – {interval.high:.3f})"


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--only", choices=("growth",))
    options = parser.parse_args()
    draws = options.draws
    if options.only is None:
        _print_tiers(draws)
        print()
    sizes = (f"{runs} runs, {controls} controls" for runs, controls in SEEDS)
    table(("co-activation grows", *sizes, "differences, as many"), general_growth(2 * draws))


def _print_tiers(draws: int) -> None:
    table(("world", *TIERS), level(draws))
    print()
    table(("co-activation on rare tokens", *TIERS[:-1]), power(max(40, draws // 4)))


if __name__ == "__main__":
    main()
