"""Coverage of two-way intervals, and the effective number of neurons, where the truth is known.

Run with `python -m benchmarks.calibration.evidence_intervals [noise.npz]`; tables of docs/methods/evidence.md. With
`--only forty influence rare`, as often as wanted, only these rows of the first table.
"""

import argparse
from itertools import product

import numpy as np
from scipy.stats import t as student_t

from benchmarks.calibration.evidence_world import open_world, share, table
from rare_neurons.numerics.grid.effective_number import effective_number
from rare_neurons.numerics.grid.fourth_moment import mean_fourth_leave_outs
from rare_neurons.numerics.grid.jackknife import t_interval
from rare_neurons.numerics.grid.moments import mean_leave_outs, mean_square_leave_outs

WORLDS = tuple(product(("embedded", "forty", "many"), ("influence", "loss"), ("rare", "common")))


def plant(world, k, rms, rng, *, mixed=True):
    """Effects of k equally strong neurons whose mean square over all neurons is rms²."""
    theta, n = np.zeros(world.n_channels), world.n_channels
    theta[rng.choice(n, k, replace=False)] = rms * np.sqrt(n / k)
    return theta * rng.choice([-1.0, 1.0], n) if mixed else theta


def noise_floor(world, noises):
    """Root of the standard deviation of the mean square without effects."""
    return float(np.sqrt(np.std([mean_square_leave_outs(e, world.counts).value for e in noises])))


def covers(statistic, truth):
    """Whether the 90 % interval holds the truth."""
    found = t_interval(statistic)
    return found.low <= truth <= found.high


def linear_coverage(world, draws, rng):
    """Coverage of zero by the interval of the mean over channels, and of single channels; one-sided exits at 5 %."""
    mean, single, exits = [], [], []
    bound = student_t.ppf(0.95, 11)
    for _ in range(draws):
        cells = world.noise(rng)
        found = t_interval(mean_leave_outs(cells.mean(0), world.counts))
        mean.append(found.low <= 0 <= found.high)
        exits.append(found.value > bound * found.standard_error)
        channel = int(rng.integers(world.n_channels))
        single.append(covers(mean_leave_outs(cells[channel], world.counts), 0.0))
    return mean, single, exits


def square_table(noise, draws, rng):
    """Coverage of the mean square by k and size."""
    rows = []
    for kind in ("embedded", "forty"):
        world = open_world(noise, "rare", kind=kind, rng=rng)
        noises = [world.noise(rng) for _ in range(draws)]
        floor = noise_floor(world, noises)
        for size in (0, 1, 3):
            for k in (1, 3, 20, 384) if size else (0,):
                hit = []
                for cells in noises:
                    theta = plant(world, k, size * floor, rng) if k else np.zeros(world.n_channels)
                    found = mean_square_leave_outs(cells + theta[:, None, None] * world.counts, world.counts)
                    hit.append(covers(found, float((theta**2).mean())))
                rows.append((kind, k, size, share(hit), draws))
    table(("panel", "specialists k", "rms / floor", "coverage of Q at 90 %", "draws"), rows)


def number_table(noise, draws, rng):
    """Effective number at multiples of the floor."""
    world, rows = open_world(noise, "rare", kind="forty", rng=rng), []
    noises = [world.noise(rng) for _ in range(max(draws, 200))]
    floor = noise_floor(world, noises)
    for size in (2, 3, 5):
        for k in (1, 3, 5, 10, 20, 100, 384):
            found = []
            for cells in noises[:draws]:
                total = cells + plant(world, k, size * floor, rng)[:, None, None] * world.counts
                square, fourth = (f(total, world.counts) for f in (mean_square_leave_outs, mean_fourth_leave_outs))
                found.append(effective_number(mean_square=square, mean_fourth=fourth, n_neurons=world.n_channels))
            usable = [each for each in found if each.status == "ok"]
            quantiles = np.quantile([each.value for each in usable], [0.1, 0.5, 0.9]) if usable else [np.nan] * 3
            hit = [each.low <= k <= each.high for each in usable]
            rows.append((size, k, f"{len(usable) / draws:.2f}", *(f"{q:.1f}" for q in quantiles), share(hit), draws))
    table(("rms / floor", "k", "printed", "10 %", "median", "90 %", "coverage at 90 %", "draws"), rows)


def linear_table(noise, draws, rng, worlds=WORLDS):
    """Coverage of linear statistics by panel."""
    rows = []
    for kind, what, stratum in worlds:
        world = open_world(noise, stratum, what=what, kind=kind, rng=rng)
        mean, single, exits = linear_coverage(world, draws if what == "influence" else 4 * draws, rng)
        size = " / ".join(f"{n:.0f}" for n in world.design.effective)
        rows.append((kind, size, what, stratum, share(mean), share(single), share(exits), len(mean)))
    head = ("panel", "effective documents / types", "values", "stratum", "mean over channels", "one channel")
    table((*head, "one-sided exits at .05", "draws"), rows)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("noise", nargs="?")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", nargs=3, action="append", metavar=("PANEL", "VALUES", "STRATUM"))
    given = parser.parse_args()
    rng = np.random.default_rng(20)
    if given.only:
        return linear_table(given.noise, given.draws, rng, given.only)
    linear_table(given.noise, given.draws, rng)
    square_table(given.noise, given.draws, rng)
    number_table(given.noise, max(given.draws // 10, 20), rng)


if __name__ == "__main__":
    main()
