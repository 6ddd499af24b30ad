"""Tier `specific` under a pure frequency shift: the base rates of all token types change, nothing within a stratum.

Run with `python -m benchmarks.calibration.evidence_frequency [noise.npz]`; table of docs/methods/evidence.md. Twenty
neurons of each run move probability along the log-unigram direction, or between strata only; their effects on either
stratum's targets, whole and within the stratum, follow from the definitions on a Zipfian vocabulary whose model is
calibrated. They are added to the cells of `evidence_specific` and judged twice: by the part within the stratum, as the
tier does, and by the whole influence, as it must not. Controls and placebo have none.
"""

import argparse

import numpy as np

from benchmarks.calibration.evidence_specific import RUN_FACTOR, Strata
from benchmarks.calibration.evidence_world import share, table
from rare_neurons.numerics.evidence.specific import judge_specific

VOCABULARY = 2048
K = 20
KINDS = ("along the log-unigram direction", "between strata only")


def shift_effects(kind, size):
    """Change of loss on rare and on common targets when a neuron's shift ``size · direction`` of the logits is ablated.

    ``Δ = log E_p[e^f] − f_y`` and ``Δ_within = log E_{p|S}[e^f] − f_y``, averaged over targets of S as p draws them.

    Returns
    -------
    whole, within : ndarray, shape (2,)
        Nats.
    """
    p = 1 / np.arange(1, VOCABULARY + 1)
    p /= p.sum()
    mass = np.cumsum(p)
    rare, common = mass > 0.9, mass <= 0.5
    f = size * (np.log(p) - p @ np.log(p) if kind == KINDS[0] else np.where(rare, -1.0, np.where(common, 1.0, 0.0)))
    everywhere = np.log(p @ np.exp(f))
    whole, within = [], []
    for stratum in (rare, common):
        own = p[stratum] / p[stratum].sum()
        target = own @ f[stratum]
        whole.append(everywhere - target)
        within.append(np.log(own @ np.exp(f[stratum])) - target)
    return np.array(whole), np.array(within)


def size_of(kind, effect):
    """Size of the shift whose whole effect on rare targets is the one asked for (bisection)."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if shift_effects(kind, middle)[0][0] < effect else (low, middle)
    return low


def effects_in_floors(strata, kind, floors):
    """Rms over the layer of whole and within effects on (rare, common) tokens, in noise floors."""
    unit = strata.floor * np.sqrt(strata.worlds[0].n_channels / K)
    whole, within = shift_effects(kind, size_of(kind, floors * unit))
    return whole / unit, within / unit


def draw(strata, sizes, n_runs, n_controls):
    """Tier `specific` of runs whose neurons have these effects, of one sign, beside silent controls."""
    nothing = np.zeros(2)
    factors = np.exp(RUN_FACTOR * strata.rng.standard_normal(n_runs))
    runs = [strata.run(np.asarray(sizes) * factor, nothing, "run only") for factor in factors]
    controls = [strata.run(nothing, nothing, "run only") for _ in range(n_controls)]
    return judge_specific(runs=runs, controls=controls)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noise", nargs="?")
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--floors", type=float, nargs="+", default=[8.0, 40.0])
    given = parser.parse_args()
    strata = Strata(given.noise, np.random.default_rng(11))
    rows = []
    for kind in KINDS:
        for floors in given.floors:
            whole, within = effects_in_floors(strata, kind, floors)
            for n, m in ((3, 2), (5, 3)):
                found = [
                    share([(p := draw(strata, sizes, n, m).p_value) is not None and p <= 0.05 for _ in range(draws)])
                    for sizes, draws in ((within, given.draws), (whole, given.draws // 10))
                ]
                sizes = [f"{one[0]:.2g}, {one[1]:.2g}" for one in (whole, within)]
                rows.append((kind, *sizes, f"{n}:{m}", *found, given.draws))
    head = ("shift", "whole rms / floor: rare, common", "within", "runs : controls", "`specific` at .05, within")
    table((*head, "the same of whole influence", "draws"), rows)


if __name__ == "__main__":
    main()
