"""Tiers `seeds` and `beyond control`, dates over seeds and the family of questions: level, coverage and power.

Run with `python -m benchmarks.calibration.evidence_seeds [noise.npz]`; tables of docs/methods/evidence.md. The panel's
noise is that of the change of loss on rare tokens; 70 % of its variance is shared by all runs, as they are evaluated
on the same documents and types.
"""

import argparse

import numpy as np
from scipy.stats import norm

from benchmarks.calibration.evidence_world import open_world, share, table
from rare_neurons.numerics.evidence.beyond_control import judge_beyond_control
from rare_neurons.numerics.evidence.comparison import Decision
from rare_neurons.numerics.evidence.multiplicity import adjust_questions
from rare_neurons.numerics.evidence.seeds import date_over_seeds, judge_seeds
from rare_neurons.numerics.grid.moments import mean_leave_outs

SHARED = 0.7
LIBRARY = 1000
RISE = Decision(direction="rise")


class Runs:
    """Changes of runs and controls that are evaluated on one panel; a panel's standard deviation is 1."""

    def __init__(self, noise, rng, kind="forty"):
        world, self.rng = open_world(noise, "rare", what="loss", kind=kind, rng=rng), rng
        cells = (world.noise(rng) for _ in range(LIBRARY))
        self.library = np.array([each[-1] - each[0] for each in cells])
        self.counts = world.counts
        self.library /= (self.library.sum((1, 2)) / self.counts.sum()).std()

    def draw(self, truth):
        """Statistics [run] around the truth, in panel standard deviations."""
        n = len(truth)
        picks = self.rng.choice(LIBRARY, n + 1, replace=False)
        noise = self.library[picks] * self.rng.choice([-1, 1], (n + 1, 1, 1))
        cells = np.sqrt(SHARED) * noise[0] + np.sqrt(1 - SHARED) * noise[1:]
        return mean_leave_outs(cells + np.asarray(truth)[:, None, None] * self.counts, self.counts)


def seeds_table(runs, draws, rng):
    """Level, coverage and power of the tier `seeds`."""
    rows = []
    for n in (3, 5, 9):
        for run_sd in (0.0, 0.5, 1.0, 2.0, 5.0):
            found = [judge_seeds(runs.draw(run_sd * rng.standard_normal(n)), decision=RISE) for _ in range(draws)]
            level = share([f.p_value <= 0.05 for f in found])
            cover = share([f.low <= 0 <= f.high for f in found])
            unit, power = max(run_sd, 1.0), []
            for size in (1, 2, 4):
                shifted = (runs.draw(size * unit + run_sd * rng.standard_normal(n)) for _ in range(draws // 4))
                power.append(share([judge_seeds(each, decision=RISE).p_value <= 0.05 for each in shifted]))
            rows.append((n, run_sd, level, cover, *power, draws))
    head = ("seeds", "seed sd / panel sd", "level at .05", "coverage at .90", "power at 1", "at 2", "at 4 sd", "draws")
    table(head, rows)


def control_table(runs, draws, rng):
    """Level and power of the tier `beyond control`."""
    rows = []
    for n, m in ((3, 2), (3, 3), (5, 3)):
        for run_sd, ratio in ((0.0, 1), (0.5, 1), (1.0, 1), (2.0, 1), (5.0, 1), (1.0, 0.1), (5.0, 0.1), (1.0, 2)):
            rates = []
            for size in (0, 2, 4):
                hit = []
                for _ in range(draws if size == 0 else draws // 4):
                    scatter = np.concatenate([np.ones(n), np.full(m, ratio)]) * run_sd * rng.standard_normal(n + m)
                    scatter[:n] += size * max(run_sd, 1.0)
                    both = runs.draw(scatter)
                    hit.append(judge_beyond_control(both[:n], both[n:], decision=RISE).p_value <= 0.05)
                rates.append(share(hit))
            rows.append((f"{n}:{m}", run_sd, ratio, *rates, draws))
    head = (
        "runs : controls",
        "run sd / panel sd",
        "control sd / run sd",
        "level at .05",
        "power at 2 sd",
        "at 4 sd",
        "draws",
    )
    table(head, rows)


def minimal_table(runs, draws, rng):
    """Power at the minimal effect printed for other sets of runs."""
    rows = []
    for n, m in ((3, 0), (4, 0), (5, 0), (9, 0), (3, 2), (3, 3), (5, 3)):
        for run_sd in (0.5, 2.0):

            def judged(effect, n=n, m=m, run_sd=run_sd):
                truth = run_sd * rng.standard_normal(n + m)
                truth[:n] += effect
                both = runs.draw(truth)
                if m:
                    return judge_beyond_control(both[:n], both[n:], decision=RISE)
                return judge_seeds(both, decision=RISE)

            sizes = [judged(0.0).minimal_effect for _ in range(draws // 2)]
            found = [judged(size).p_value <= 0.05 for size in sizes]
            rows.append((f"{n}:{m}" if m else n, run_sd, f"{np.median(sizes):.2f}", share(found), len(found)))
    table(("runs", "run sd / panel sd", "median effect, panel sd", "power at it (nominal .80)", "draws"), rows)


def date_table(draws, rng):
    """Coverage of the interval of the mean onset over seeds."""
    rows = []
    for n in (3, 5, 9):
        for spread in (0.2, 0.5, 1.0, 2.0):
            truth = 15 + rng.random(draws)
            crossed = np.ceil(truth[:, None] + spread * rng.standard_normal((draws, n)))
            found = [date_over_seeds(each, n_steps=40) for each in crossed]
            hit = [f.after <= t <= f.by for f, t in zip(found, truth, strict=True)]
            rows.append((n, spread, share(hit), f"{np.mean([f.by - f.after for f in found]):.1f}", draws))
    table(("seeds", "spread in cells", "coverage at .90", "mean width in cells", "draws"), rows)


def family_table(draws, rng):
    """Family error of three primary and eight secondary questions, and who is found."""
    rows = []
    cases = {
        "nothing": ([0] * 3, [0] * 8),
        "the first primary": ([3, 0, 0], [0] * 8),
        "all primary": ([3, 3, 3], [0] * 8),
        "all primary, half of the secondary": ([3, 3, 3], [3] * 4 + [0] * 4),
        "half of the secondary": ([0] * 3, [3] * 4 + [0] * 4),
    }
    for correlation in (0.0, 0.5):
        for name, (first, second) in cases.items():
            effect = np.array(first + second, dtype=float)
            shared = np.sqrt(correlation) * rng.standard_normal((draws, 1))
            p_values = norm.sf(shared + np.sqrt(1 - correlation) * rng.standard_normal((draws, 11)) + effect)
            split = ((row[:3].tolist(), row[3:].tolist()) for row in p_values)
            asked = (adjust_questions(primary=first, secondary=rest, in_order=False) for first, rest in split)
            found = np.array([[*each.primary, *each.secondary] for each in asked]) <= 0.05
            wrong = share(found[:, effect == 0].any(1)) if (effect == 0).any() else "-"
            power = " / ".join(f"{x:.2f}" for x in found[:, :3].mean(0))
            rows.append((correlation, name, wrong, power, f"{found[:, 3:7].mean():.2f}", draws))
    head = (
        "correlation",
        "effects of 3 se in",
        "family error",
        "found primaries",
        "found of the first 4 secondary",
        "draws",
    )
    table(head, rows)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noise", nargs="?")
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--families", action="store_true", help="the last table alone")
    given = parser.parse_args()
    rng = np.random.default_rng(22)
    if given.families:
        return family_table(5 * given.draws, rng)
    runs = Runs(given.noise, rng)
    seeds_table(runs, given.draws, rng)
    control_table(runs, given.draws, rng)
    minimal_table(runs, given.draws, rng)
    date_table(given.draws, rng)
    family_table(5 * given.draws, rng)


if __name__ == "__main__":
    main()
