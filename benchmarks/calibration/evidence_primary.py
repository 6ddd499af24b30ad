"""Which order of primary questions finds planted neurons of one sign, and of mixed signs: the tiers before `specific`.

Run with `python -m benchmarks.calibration.evidence_primary [noise.npz] [--draws 200]`; table of
docs/methods/evidence.md. Worlds as the planted series: three seeds, two controls, six checkpoints, k neurons from the
fourth on, noise of the panel with a memory of 0.8. Beside the mean influence and that of any sign on rare tokens stand
the loss within them, which is found (p = 0.0001) or uniform, and five questions without an effect.

- *Holm*, the default: loss, mean and any sign pay for each other at 0.8 of the level;
- *sequence*: loss, then mean, at 0.8 of the level; any sign is secondary;
- *either first*: mean or any sign, each at half of 0.8 of the level; loss after them, at the halves that hold;
- *shares*: loss 0.2, mean and any sign 0.35 each, whose shares pass on to those that are left; secondary ones 0.1.
"""

import argparse

import numpy as np

from benchmarks.calibration.evidence_run import Series, plant
from benchmarks.calibration.evidence_world import open_world, share, table
from rare_neurons.numerics.evidence.beyond_control import judge_beyond_control
from rare_neurons.numerics.evidence.comparison import Decision
from rare_neurons.numerics.evidence.multiplicity import adjust_questions
from rare_neurons.numerics.evidence.noise_draws import draw_noise
from rare_neurons.numerics.evidence.run import detect_change
from rare_neurons.numerics.evidence.seeds import judge_seeds
from rare_neurons.numerics.grid.folds import N_FOLDS

N_STEPS, FROM, SEEDS, CONTROLS, OTHERS = 6, 3, 3, 2, 5
LEVEL, DRAWS = 0.05, 999
DIRECTIONS = {"mean": "either", "any": "rise"}
LOSS, MEAN, ANY = range(3)


def sequence(p):
    """Loss, then mean; any sign among the secondary ones."""
    found = adjust_questions(primary=p[:2], secondary=p[2:])
    return [*found.primary, *found.secondary]


def either_first(p):
    """Mean or any sign, then loss with the halves of those that hold."""
    halves = [min(1.0, 2 * p[k] / 0.8) for k in (MEAN, ANY)]
    loss = min(max(2 * p[LOSS] / 0.8, min(halves)), max(p[LOSS] / 0.8, *halves))
    return [min(1.0, loss), *halves, *secondary(p, max(loss, *halves), 0.2)]


def holm(p):
    """Three primary questions under Holm at 0.8 of the level."""
    found = adjust_questions(primary=p[:3], secondary=p[3:], in_order=False)
    return [*found.primary, *found.secondary]


def shares(p):
    """Unequal shares that pass on to the questions that are left."""
    return weighted(p, (0.2, 0.35, 0.35))


def weighted(p, weights):
    """Weighted Holm (Holm 1979): of those left the smallest p / weight, all of the primary share divided anew."""
    total, left, worst, found = sum(weights), [LOSS, MEAN, ANY], 0.0, [1.0] * 3
    while left:
        scale = total / sum(weights[k] for k in left)
        best = min(left, key=lambda k: p[k] / weights[k])
        worst = max(worst, min(1.0, p[best] / (weights[best] * scale)))
        found[best] = worst
        left.remove(best)
    return [*found, *secondary(p, worst, 1 - total)]


def secondary(p, gate, rest):
    """Holm over the rest at its own share, at the whole level once all primary ones hold."""
    plain = adjust_questions(primary=(), secondary=p[3:]).secondary
    return [min(1.0, one / rest, max(one, gate)) for one in plain]


ORDERS = {"Holm": holm, "sequence": sequence, "either first": either_first, "shares": shares}


def tier_p(series, k, size, mixed, rng):
    """p of both questions at the three tiers: that of the middle run, over seeds, beyond controls."""
    shape = (np.arange(N_STEPS) >= FROM).astype(float)
    noise = draw_noise(n_folds=N_FOLDS, rng=rng, draws=DRAWS)
    changes, of_runs = {name: [] for name in DIRECTIONS}, {name: [] for name in DIRECTIONS}
    for run in range(SEEDS + CONTROLS):
        cells, theta = series.draw(), np.zeros(series.n_neurons)
        if run < SEEDS and k:
            theta = plant(series.n_neurons, k, size * series.floor, rng)
            theta = theta if mixed else np.abs(theta)
        planted = [each + s * theta[:, None, None] * series.counts for each, s in zip(cells, shape, strict=True)]
        squares = series.squares(planted, series.products(planted), np.zeros(series.n_neurons), shape)
        for name, values in (("mean", series.means(planted)), ("any", squares)):
            changes[name].append(values[-1:] - values[:1])
            if run < SEEDS:
                found = detect_change(values, noise=noise, direction=DIRECTIONS[name], level=LEVEL)
                of_runs[name].append(found.p_value)
    return {name: (float(np.median(of_runs[name])), *_compared(changes[name], name)) for name in DIRECTIONS}


def _compared(changes, name):
    """p over seeds and beyond controls."""
    together = _joined(changes)
    own, other, decision = together[:SEEDS], together[SEEDS:], Decision(direction=DIRECTIONS[name])
    return judge_seeds(own, decision=decision).p_value, judge_beyond_control(own, other, decision=decision).p_value


def _joined(changes):
    parts = type(changes[0]).__slots__
    return type(changes[0])(*(np.concatenate([getattr(each, part) for each in changes]) for part in parts))


def reached(p, order, loss_found, rng):
    """Number of tiers that loss, mean and any sign reach under an order of questions."""
    height, open_ = np.zeros(3, dtype=int), np.ones(3, dtype=bool)
    for tier in range(3):
        loss = 1e-4 if loss_found else rng.random()
        raw = [loss, p["mean"][tier], p["any"][tier], *rng.random(OTHERS)]
        open_ &= np.array(ORDERS[order](raw)[:3]) <= LEVEL
        height += open_
    return height


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("noise", nargs="?")
    parser.add_argument("--draws", type=int, default=200)
    given = parser.parse_args()
    rng = np.random.default_rng(24)
    series = Series(open_world(given.noise, "rare", kind="embedded", rng=rng), rng, n_steps=N_STEPS)
    worlds = [(k, 3, mixed, found) for k in (5, 20) for mixed, found in ((False, True), (False, False), (True, False))]
    worlds += [(256, size, False, True) for size in (0.5, 1)] + [(0, 0, False, True), (0, 0, False, False)]
    known, rows = {}, []
    for k, size, mixed, found in worlds:
        if (k, size, mixed) not in known:
            known[k, size, mixed] = [tier_p(series, k, size, mixed, rng) for _ in range(given.draws)]
        for order in ORDERS:
            heights = np.array([reached(p, order, found, rng) for p in known[k, size, mixed]])
            signs = "mixed" if mixed else "one"
            rates = [share(heights[:, which] == 3) for which in (LOSS, MEAN, ANY)]
            rates.append(share(heights[:, [MEAN, ANY]].max(1) == 3))
            at_run = share(heights[:, [MEAN, ANY]].max(1) >= 1)
            rows.append((k, size, signs if k else "-", "yes" if found else "no", order, at_run, *rates))
    head = ("k", "rms / floor", "signs", "loss found", "order", "influence at `run`")
    table((*head, "loss beyond control", "mean", "any sign", "either"), rows)


if __name__ == "__main__":
    main()
