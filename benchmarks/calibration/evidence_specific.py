"""Tier `specific` from cells: level under exchangeable runs and general growth, power with loud and silent controls.

Run with `python -m benchmarks.calibration.evidence_specific [noise.npz]`; tables of docs/methods/evidence.md. Every run
has its own neurons: noise of both strata from the world, effects of 20 neurons in each stratum whose rms is given in
units of the larger of the two noise floors, times a factor of the run (lognormal, 0.35) and one of run and stratum
(0.2). Its four placebo permutations have other neurons, the placebo's rms, the factor of the run, the root of that of
the stratum and one of their own (0.1).
"""

import argparse

import numpy as np

from benchmarks.calibration.evidence_intervals import noise_floor
from benchmarks.calibration.evidence_world import open_world, share, table
from rare_neurons.numerics.evidence.specific import judge_specific
from rare_neurons.numerics.evidence.strata_pair import RunInfluence, StrataPair
from rare_neurons.numerics.grid.leave_outs import stack
from rare_neurons.numerics.grid.moments import disjoint_products, mean_leave_outs, ratio_of_pairs

LIBRARY = 150
PERMUTATIONS = 4
RUN_FACTOR, STRATUM_FACTOR = 0.35, 0.2
FORMS = ("log", "share")

CASES = {
    "exchangeable: runs are as controls": ((8, 8), (8, 8), (8, 8), (8, 8), "mixed"),
    "exchangeable, weak": ((3, 3), (3, 3), (3, 3), (3, 3), "mixed"),
    "nothing anywhere": ((0, 0), (0, 0), (0, 0), (0, 0), "mixed"),
    "general growth, rare twice common everywhere": ((16, 8), (16, 8), (6, 3), (6, 3), "mixed"),
    "general growth, silent controls": ((16, 8), (16, 8), (0, 0), (0, 0), "mixed"),
    "general growth of one sign, also in the placebo; silent controls": ((16, 8), (16, 8), (0, 0), (0, 0), "one"),
    "general growth of one sign, placebo mixed; silent controls": ((16, 8), (16, 8), (0, 0), (0, 0), "run only"),
    "general growth, placebo and controls silent": ((8, 4), (0, 0), (0, 0), (0, 0), "mixed"),
    "general growth, weaker, placebo and controls silent": ((4, 2), (0, 0), (0, 0), (0, 0), "mixed"),
    "general growth of one sign, placebo and controls silent": ((8, 4), (0, 0), (0, 0), (0, 0), "run only"),
    "growth on common tokens alone, placebo and controls silent": ((0, 6), (0, 0), (0, 0), (0, 0), "mixed"),
    "exchangeable, rare alone at 1 floor": ((1, 0), (0, 0), (1, 0), (0, 0), "mixed"),
    "exchangeable, rare alone at 1.5 floors": ((1.5, 0), (0, 0), (1.5, 0), (0, 0), "mixed"),
    "exchangeable, rare alone at 2 floors": ((2, 0), (0, 0), (2, 0), (0, 0), "mixed"),
    "exchangeable, rare alone at 3 floors": ((3, 0), (0, 0), (3, 0), (0, 0), "mixed"),
    "exchangeable, rare alone at 8 floors": ((8, 0), (0, 0), (8, 0), (0, 0), "mixed"),
    "exchangeable, rare alone, placebo known": ((3, 1), (8, 8), (3, 1), (8, 8), "mixed"),
    "rare part doubled": ((16, 8), (8, 8), (8, 8), (8, 8), "mixed"),
    "rare part tripled": ((24, 8), (8, 8), (8, 8), (8, 8), "mixed"),
    "rare part doubled, weaker": ((8, 4), (4, 4), (4, 4), (4, 4), "mixed"),
    "rare part doubled, mixed signs, silent controls": ((16, 8), (8, 8), (0, 0), (0, 0), "mixed"),
    "rare part doubled, one sign, silent controls": ((16, 8), (8, 8), (0, 0), (0, 0), "run only"),
    "rare part tripled, one sign, silent controls": ((24, 8), (8, 8), (0, 0), (0, 0), "run only"),
    "rare alone at 2 floors, all else silent": ((2, 0), (0, 0), (0, 0), (0, 0), "mixed"),
    "rare alone at 3 floors, all else silent": ((3, 0), (0, 0), (0, 0), (0, 0), "mixed"),
    "rare alone at 4 floors, all else silent": ((4, 0), (0, 0), (0, 0), (0, 0), "mixed"),
    "rare alone at 6 floors, all else silent": ((6, 0), (0, 0), (0, 0), (0, 0), "mixed"),
}
"""Rms in floors, (rare, common), of the run, its placebo, the control, its placebo; whose effects have one sign."""


def _parts(cells, counts):
    """Mean over neurons of the products of noise, products of each neuron's noise with an effect of 1, and the mean."""

    def rest(x):
        return x.sum((-2, -1), keepdims=True) - x.sum(-1, keepdims=True) - x.sum(-2, keepdims=True) + x

    crossed = cells * rest(counts) + counts * rest(cells)
    return disjoint_products(cells).mean(0), crossed.astype(np.float32), cells.mean(0)


class Strata:
    """Libraries of noise of two strata, and sets of runs from them."""

    def __init__(self, noise, rng, kind="forty"):
        self.rng, self.worlds = rng, [open_world(noise, name, kind=kind, rng=rng) for name in ("rare", "common")]
        self.libraries = [[world.noise(rng).astype(np.float32) for _ in range(LIBRARY)] for world in self.worlds]
        self.floor = max(noise_floor(w, lib) for w, lib in zip(self.worlds, self.libraries, strict=True))
        self.known = [
            [_parts(cells.astype(float), world.counts) for cells in lib]
            for world, lib in zip(self.worlds, self.libraries, strict=True)
        ]

    def statistics(self, stratum, rms, one_sign, k=20):
        """Mean square and mean of one network in one stratum: products of noise, of both, and of the effects."""
        world, pick = self.worlds[stratum], int(self.rng.integers(LIBRARY))
        (products, crossed, mean), n = self.known[stratum][pick], world.n_channels
        who = self.rng.choice(n, k, replace=False)
        sign = 1.0 if one_sign else self.rng.choice([-1.0, 1.0], k)
        theta = rms * self.floor * np.sqrt(n / k) * sign * np.ones(k)
        own = np.tensordot(theta, crossed[who], 1) + np.square(theta).sum() * disjoint_products(world.counts)
        effect = theta.sum() / n * world.counts
        return ratio_of_pairs(products + own / n, world.counts), mean_leave_outs(mean + effect, world.counts)

    def run(self, own, placebo, signs):
        """One run with its placebo permutations."""
        common = np.exp(RUN_FACTOR * self.rng.standard_normal())
        own_factor = np.exp(STRATUM_FACTOR * self.rng.standard_normal(2))
        factors, permuted_factors = common * own_factor, common * np.sqrt(own_factor)
        found = [self.statistics(j, own[j] * factors[j], signs != "mixed") for j in range(2)]
        permuted = []
        for j in range(2):
            sizes = placebo[j] * permuted_factors[j] * np.exp(0.1 * self.rng.standard_normal(PERMUTATIONS))
            permuted.append([self.statistics(j, size, signs == "one") for size in sizes])
        square, mean = (
            StrataPair(found[0][i], found[1][i], *(stack([p[i] for p in each]) for each in permuted)) for i in (0, 1)
        )
        return RunInfluence(square, square, mean)  # before training nothing acts, so that growth is what there is


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noise", nargs="?")
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--worlds", nargs="+", default=[""], help="only worlds whose name has one of these in it")
    given = parser.parse_args()
    rng = np.random.default_rng(23)
    strata, rows = Strata(given.noise, rng), []
    chosen = {name: case for name, case in CASES.items() if any(part in name for part in given.worlds)}
    for name, (own, placebo, control, control_placebo, signs) in chosen.items():
        for n, m in ((3, 2), (5, 3)):
            found = [
                judge_specific(
                    runs=[strata.run(own, placebo, signs) for _ in range(n)],
                    controls=[strata.run(control, control_placebo, signs) for _ in range(m)],
                )
                for _ in range(given.draws)
            ]
            forms = ", ".join(f"{np.mean([each.form == form for each in found]):.2f}" for form in FORMS)
            reached = share([each.p_value is not None and each.p_value <= 0.05 for each in found])
            seeds = share([each.seeds.p_value is not None and each.seeds.p_value <= 0.05 for each in found])
            rows.append((name, f"{n}:{m}", forms, seeds, reached, given.draws))
    table(("world", "runs : controls", "log, share form", "seeds test alone", "`specific` at .05", "draws"), rows)


if __name__ == "__main__":
    main()
