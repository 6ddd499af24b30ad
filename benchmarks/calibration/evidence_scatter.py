"""Tiers `seeds` and `beyond control` of mean squares where runs scatter by a factor: as they are, or compressed.

Run with `python -m benchmarks.calibration.evidence_scatter [noise.npz] [--draws 2000]`; table of
docs/methods/evidence.md. Changes of the mean square on rare tokens between two checkpoints: noise of both (kept, or
drawn anew, or growing from a tenth), and effects of k neurons of mixed signs at either end, whose rms in floors is
multiplied by a lognormal factor of the run (and divided by the root of its mean square, so that the mean square of many
runs is the one given). Three ways to compare them:

- *linear*, the rule: the changes of mean squares themselves;
- *compressed*: `asinh(change / 2c)` of each run and of each leave-out, c the panel's error of a change (root mean
  square over runs and controls): near the noise like the change, far from it like its logarithm;
- *from silence*: compressed only where no run's and no control's mean square is resolved at the first checkpoint.
"""

import argparse

import numpy as np
from scipy.special import stdtr

from benchmarks.calibration.evidence_world import open_world, share, table
from rare_neurons.numerics.grid.effective_number import RESOLVED
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.grid.jackknife import standard_error, two_way_variance
from rare_neurons.numerics.grid.leave_outs import LeaveOuts
from rare_neurons.numerics.grid.moments import disjoint_products

LIBRARY, NEURONS = 150, 20
LEVEL, PRIMARY = 0.05, 0.8 / 3
"""Share of the level that the smallest p of three primary questions has to itself."""

KEPT, FRESH, GROWING = "kept", "fresh", "growing"
WORLDS = {
    "nothing, noise drawn anew": ((0, 0, 0), (0, 0, 0), FRESH),
    "nothing, noise grows": ((0, 0, 0), (0, 0, 0), GROWING),
    "loud at both ends: 1 floor, scatter .2": ((1, 1, 0.2), (1, 1, 0.2), KEPT),
    "loud at both ends: 3 floors, scatter .35": ((3, 3, 0.35), (3, 3, 0.35), KEPT),
    "loud at both ends: 8 floors, scatter .2": ((8, 8, 0.2), (8, 8, 0.2), KEPT),
    "controls as runs: 3 floors, scatter .2": ((0, 3, 0.2), (0, 3, 0.2), KEPT),
    "controls as runs: 3 floors, scatter .35": ((0, 3, 0.35), (0, 3, 0.35), KEPT),
    "controls as runs: 8 floors, scatter .7": ((0, 8, 0.7), (0, 8, 0.7), KEPT),
    "controls of 8 floors scatter .35, runs of as many not": ((0, 8, 0), (0, 8, 0.35), KEPT),
    "runs of 3 floors, scatter 0": ((0, 3, 0), (0, 0, 0), KEPT),
    "runs of 3 floors, scatter .1": ((0, 3, 0.1), (0, 0, 0), KEPT),
    "runs of 3 floors, scatter .2": ((0, 3, 0.2), (0, 0, 0), KEPT),
    "runs of 3 floors, scatter .35": ((0, 3, 0.35), (0, 0, 0), KEPT),
    "runs of 3 floors, scatter 0, noise grows": ((0, 3, 0), (0, 0, 0), GROWING),
    "runs of 3 floors, scatter .35, noise grows": ((0, 3, 0.35), (0, 0, 0), GROWING),
    "runs of 6 floors, controls of 3, scatter .35": ((0, 6, 0.35), (0, 3, 0.35), KEPT),
}
"""Rms of runs and of controls in floors (first checkpoint, last, scatter of its logarithm), and the noise."""


class Squares:
    """Mean squares of runs from a library of noise."""

    def __init__(self, world, rng):
        self.rng, self.counts, self.n = rng, world.counts, world.n_channels
        self.unit = disjoint_products(self.counts)
        self.products, self.crossed = [], []
        for _ in range(LIBRARY):
            cells = world.noise(rng)
            self.products.append(disjoint_products(cells).mean(0))
            crossed = cells * _rest(self.counts) + self.counts * _rest(cells)
            self.crossed.append((crossed / self.n).astype(np.float32))
        noise = self.squares(np.array(self.products))
        self.floor = float(np.sqrt(noise.value.std()))
        self.scatter_of_error = float(standard_error(noise).std() / standard_error(noise).mean())

    def squares(self, products):
        """Mean squares [...] of products [..., D, D]: `moments.ratio_of_pairs` of many at once."""
        total, n, unit = products.sum((-2, -1)), self.unit.sum(), self.unit
        return LeaveOuts(
            total / n,
            (total[..., None] - 2 * products.sum(-1)) / (n - 2 * unit.sum(1)),
            (total[..., None] - 2 * products.sum(-2)) / (n - 2 * unit.sum(0)),
            (total[..., None, None] - 2 * products) / (n - 2 * unit),
        )

    def runs(self, draws, n, sizes, noise):
        """First and last mean squares [draw, run]."""
        ends = np.empty((2, draws, n, N_FOLDS, N_FOLDS))
        for place in np.ndindex(draws, n):
            picks = self.rng.choice(LIBRARY, 2, replace=False)
            picks = picks[:1].repeat(2) if noise == KEPT else picks
            who = self.rng.choice(self.n, NEURONS, replace=False)
            signs = self.rng.choice([-1.0, 1.0], NEURONS)
            factors = np.exp(sizes[2] * self.rng.standard_normal(2) - sizes[2] ** 2)
            for end, pick in enumerate(picks):
                theta = sizes[end] * factors[end] * self.floor * np.sqrt(self.n / NEURONS) * signs
                first = 0.1**2 if noise == GROWING and end == 0 else 1.0
                own = np.tensordot(theta, self.crossed[pick][who], 1) + np.square(theta).sum() / self.n * self.unit
                ends[(end, *place)] = first * self.products[pick] + own
        return [self.squares(each) for each in ends]


def _rest(x):
    return x.sum((-2, -1), keepdims=True) - x.sum(-1, keepdims=True) - x.sum(-2, keepdims=True) + x


def joined(one, other):
    """Statistics of runs and controls side by side."""
    return LeaveOuts(*(np.concatenate(pair, axis=1) for pair in zip(parts(one), parts(other), strict=True)))


def parts(statistic):
    """Value and leave-outs."""
    return [getattr(statistic, name) for name in LeaveOuts.__slots__]


def resolved(square):
    """Whether each mean square is beyond its error and positive whatever is left out."""
    positive = [(part > 0).reshape(*square.value.shape, -1).all(-1) for part in parts(square)]
    return (square.value > RESOLVED * standard_error(square)) & np.logical_and.reduce(positive)


def compressed(change):
    """Inverse hyperbolic sine in units of twice the panel's error of a change."""
    unit = 2 * np.sqrt(two_way_variance(change).mean(1))[:, None]
    return LeaveOuts(*(np.arcsinh(p / unit.reshape(*unit.shape, *[1] * (p.ndim - 2))) for p in parts(change)))


def p_values(change, n):
    """One-sided p of the tiers `seeds` and `beyond control`, as `seeds` and `beyond_control` compare one draw."""
    own, other = (LeaveOuts(*(p[:, side] for p in parts(change))) for side in (slice(n), slice(n, None)))
    m, mean = other.value.shape[1], own.mean(1)
    of_runs, difference = (own.value.var(1, ddof=1) / n, n - 1), mean - other.mean(1)
    of_controls = other.value.var(1, ddof=1) / m, m - 1
    seeds = _p(mean.value, [of_runs, (two_way_variance(mean), N_FOLDS - 1)])
    return seeds, _p(difference.value, [of_runs, of_controls, (two_way_variance(difference), N_FOLDS - 1)])


def _p(estimate, variances):
    total = sum(v for v, _ in variances)
    freedom = total**2 / sum(v**2 / nu for v, nu in variances)
    return stdtr(freedom, -estimate / np.sqrt(total))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noise", nargs="?")
    parser.add_argument("--draws", type=int, default=300)
    given = parser.parse_args()
    rng = np.random.default_rng(26)
    squares, rows = Squares(open_world(given.noise, "rare", rng=rng), rng), []
    print(f"standard error of one network's mean square without effect: varies by {squares.scatter_of_error:.0%}")
    for name, (run, control, noise) in WORLDS.items():
        for n, m in ((3, 2), (5, 3)):
            own, other = squares.runs(given.draws, n, run, noise), squares.runs(given.draws, m, control, noise)
            first, last = (joined(*pair) for pair in zip(own, other, strict=True))
            plain, small = (p_values(change, n) for change in (last - first, compressed(last - first)))
            loud = resolved(first).any(1)
            ways = [plain, small, tuple(np.where(loud, *pair) for pair in zip(plain, small, strict=True))]
            cells = [", ".join(f"{(way[tier] <= LEVEL).mean():.3f}" for way in ways) for tier in (0, 1)]
            paid = [np.maximum(*way) <= LEVEL * PRIMARY for way in ways]
            rows.append((name, f"{n}:{m}", *cells, ", ".join(f"{one.mean():.3f}" for one in paid)))
    head = ("world", "runs : controls", "`seeds` at .05", "`beyond control` at .05", "both, first of three")
    table(head, rows)
    print(
        f"\nlinear, compressed, from silence; each ± {share([True, False] * (given.draws // 2)).split('± ')[1]} at most"
    )


if __name__ == "__main__":
    main()
