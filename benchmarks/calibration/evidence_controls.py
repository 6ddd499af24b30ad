"""Tier `specific` where some controls are resolved and others are not: with those that are, or with all or none.

Run with `python -m benchmarks.calibration.evidence_controls [noise.npz] [--draws 1000]`; table of
docs/methods/evidence.md. Worlds of `benchmarks.calibration.evidence_specific`, with controls of a size at which their
common part is resolved in some of them. Nothing may be found where controls have the runs' factor of rare over common
tokens beyond the placebo, or where the placebo has it too. *Resolved*, the rule: the log form with the controls that
have a logarithm, where there are two. *All*: the log form only where every control has one, else the share form.
"""

import argparse

import numpy as np

from benchmarks.calibration.evidence_specific import Strata
from benchmarks.calibration.evidence_world import share, table
from rare_neurons.numerics.evidence.beyond_control import MIN_CONTROLS
from rare_neurons.numerics.evidence.comparison import Decision
from rare_neurons.numerics.evidence.specific import has_logarithm, judge_shares, judge_specific

FLOORS = (1.5, 2, 3)
LEVEL = 0.05


def worlds(floors):
    """Rms in floors, (rare, common), of the run, its placebo, the control, its placebo; with 16 and 8 in the run."""
    doubled, even = (2 * floors, floors), (floors, floors)
    return {
        "alike, rare part doubled in both (level)": ((8, 8), doubled, even),
        "general growth, rare twice common everywhere (level)": ((16, 8), doubled, doubled),
        "rare part doubled in runs alone (power)": ((8, 8), even, even),
    }


def judge_with_all(runs, controls):
    """Take the log form only where every control has a logarithm."""
    if all(has_logarithm(control.square) for control in controls):
        return judge_specific(runs=runs, controls=controls)
    return judge_shares(runs, controls, "", Decision(direction="rise"))


def row_of(strata, world, n, m, draws):
    """Share of draws in which two controls are resolved but not all, and detections by either choice."""
    placebo, control, control_placebo = world
    some, found = [], {"resolved": [], "all": []}
    for _ in range(draws):
        runs = [strata.run((16, 8), placebo, "mixed") for _ in range(n)]
        controls = [strata.run(control, control_placebo, "mixed") for _ in range(m)]
        some.append(MIN_CONTROLS <= sum(has_logarithm(one.square) for one in controls) < m)
        judged = judge_specific(runs=runs, controls=controls)
        for choice, answer in (("resolved", judged), ("all", judge_with_all(runs, controls) if some[-1] else judged)):
            found[choice].append(answer.p_value is not None and answer.p_value <= LEVEL)
    return f"{np.mean(some):.2f}", share(found["resolved"]), share(found["all"])


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noise", nargs="?")
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--sizes", nargs="+", default=["3:3", "5:3", "5:5"], help="runs:controls")
    parser.add_argument("--floors", type=float, nargs="+", default=FLOORS, help="of the control's common part")
    parser.add_argument("--worlds", nargs="+", default=[""], help="only worlds whose name has one of these in it")
    given = parser.parse_args()
    strata, rows = Strata(given.noise, np.random.default_rng(25)), []
    for floors in given.floors:
        for name, world in worlds(floors).items():
            if any(part in name for part in given.worlds):
                for size in given.sizes:
                    n, m = map(int, size.split(":"))
                    rows.append((name, f"{floors:g}", size, *row_of(strata, world, n, m, given.draws)))
    head = ("world", "control's common part, floors", "runs : controls", "two or more resolved, not all")
    table((*head, "with the resolved (the rule)", "with all or none"), rows)


if __name__ == "__main__":
    main()
