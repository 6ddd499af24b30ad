"""Tier `specific` where some controls are resolved and others are not: all of them, or those that are.

Run with `python -m benchmarks.calibration.evidence_controls [noise.npz] [--draws 2000]`; table of
docs/methods/evidence.md. Worlds of `benchmarks.calibration.evidence_specific`: runs and controls have the same factor of
rare over common tokens, beyond the placebo's or not, so that nothing may be found, and controls are of a size at which
their common part is resolved in some of them. *All*: the logarithm only where every control has one, which is the
rule. *Resolved*: with the controls that have one, where there are two, and without the others.
"""

import argparse

import numpy as np

from benchmarks.calibration.evidence_specific import Strata
from benchmarks.calibration.evidence_world import share, table
from rare_neurons.numerics.evidence.beyond_control import MIN_CONTROLS
from rare_neurons.numerics.evidence.specific import has_logarithm, judge_specific

FLOORS = (1.5, 2, 3, 4)
SIZES = ((3, 3), (5, 3), (5, 5))
LEVEL = 0.05


def worlds(floors):
    """Rms in floors, (rare, common), of the run, its placebo, the control, its placebo, and whether it is a null."""
    weak = (2 * floors, floors)
    return {
        "alike, doubled beyond the placebo": ((16, 8), (8, 8), weak, (floors, floors), True),
        "general growth, rare twice common everywhere": ((16, 8), (16, 8), weak, weak, True),
        "rare part doubled in runs alone": ((16, 8), (8, 8), (floors, floors), (floors, floors), False),
    }


def of_resolved(runs, controls):
    """Controls that have a logarithm, where the runs and two of them do; else all."""
    usable = [control for control in controls if has_logarithm(control.square)]
    fit = all(has_logarithm(run.square) for run in runs) and len(usable) >= MIN_CONTROLS
    return usable if fit else controls


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noise", nargs="?")
    parser.add_argument("--draws", type=int, default=300)
    given = parser.parse_args()
    strata, rows = Strata(given.noise, np.random.default_rng(25)), []
    for floors in FLOORS:
        for name, (own, placebo, control, control_placebo, null) in worlds(floors).items():
            for n, m in SIZES:
                found = {"all": [], "resolved": []}
                some, logs = [], {"all": [], "resolved": []}
                for _ in range(given.draws):
                    runs = [strata.run(own, placebo, "mixed") for _ in range(n)]
                    controls = [strata.run(control, control_placebo, "mixed") for _ in range(m)]
                    sides = {"all": controls, "resolved": of_resolved(runs, controls)}
                    for choice, side in sides.items():
                        judged = judge_specific(runs=runs, controls=side)
                        found[choice].append(judged.p_value is not None and judged.p_value <= LEVEL)
                        logs[choice].append(judged.form == "log")
                    some.append(MIN_CONTROLS <= sum(has_logarithm(one.square) for one in controls) < m)
                form = ", ".join(f"{np.mean(each):.2f}" for each in logs.values())
                kind = "level" if null else "power"
                rows.append((name, floors, f"{n}:{m}", kind, f"{np.mean(some):.2f}", form, *map(share, found.values())))
                print(rows[-1], flush=True)
    head = ("world", "control's common part, floors", "runs : controls", "is", "two or more resolved, not all")
    table((*head, "log form: all, resolved", "all", "resolved"), rows)


if __name__ == "__main__":
    main()
