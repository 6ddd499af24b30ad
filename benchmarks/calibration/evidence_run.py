"""Tier `run`: false positives, power whatever the number of specialists, dates, turns and minimal effects.

Run with `python -m benchmarks.calibration.evidence_run PART [noise.npz]`, PART one of null, turns, power, wide, dates,
minimal; tables of docs/methods/evidence.md. Series of influence are first-order autoregressive over checkpoints (0.8);
series of loss have the embedded model's own covariance over its 12 checkpoints, or 40 interpolated between them.
"""

import argparse

import numpy as np

from benchmarks.calibration.evidence_world import open_world, share, table
from rare_neurons.numerics.evidence.minimal_effect import run_effect
from rare_neurons.numerics.evidence.noise_draws import draw_noise
from rare_neurons.numerics.evidence.onset_date import date_onset
from rare_neurons.numerics.evidence.run import detect_change
from rare_neurons.numerics.evidence.turns import find_moves
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.grid.leave_outs import LeaveOuts
from rare_neurons.numerics.grid.moments import disjoint_products, mean_leave_outs, ratio_of_pairs

DRAWS = 1999
"""Of the rule's null in each simulated series; the rule itself takes 9,999."""

LIBRARY = 300
MEMORY = 0.8
SHAPES = {
    "abrupt": lambda n: (np.arange(n) >= n // 2).astype(float),
    "ramp": lambda n: np.clip((np.arange(n) - n // 4) / (5 * n / 12), 0, 1),
}


class Series:
    """Series of cell sums of many neurons over checkpoints, from a library of noise."""

    def __init__(self, world, rng, *, n_steps=12, mix=None, library=LIBRARY):
        self.counts, self.n_steps, self.rng = world.counts, n_steps, rng
        noises = (world.noise(rng) for _ in range(library))
        self.library = [cells if mix is None else np.tensordot(mix, cells, 1).astype(np.float32) for cells in noises]
        self.n_neurons = len(self.library[0])
        squares = [ratio_of_pairs(disjoint_products(e).mean(0), self.counts).value for e in self.library]
        means = [e.mean(0).sum() / self.counts.sum() for e in self.library]
        self.floor, self.mean_sd = float(np.sqrt(np.std(squares))), float(np.std(means))

    def draw(self, growth=False):
        """Noise [step, neuron, D, D], autoregressive; its size grows tenfold with `growth`."""
        picks = self.rng.choice(len(self.library), self.n_steps, replace=False)
        cells = [self.library[picks[0]] * self.rng.choice([-1, 1])]
        for k in picks[1:]:
            step = self.library[k] * self.rng.choice([-1, 1])
            cells.append(MEMORY * cells[-1] + np.sqrt(1 - MEMORY**2) * step)
        size = np.geomspace(0.1, 1, self.n_steps) if growth else np.ones(self.n_steps)
        return [each * s for each, s in zip(cells, size, strict=True)]

    def squares(self, cells, products, theta, shape):
        """Mean squares with planted effects: only the neurons that carry one are computed again."""
        who, found = np.flatnonzero(theta), []
        for each, known, size in zip(cells, products, shape, strict=True):
            total = known
            if size and len(who):
                own = each[who].astype(float)
                planted = own + (np.sqrt(size) * theta[who])[:, None, None] * self.counts
                total = known + (disjoint_products(planted) - disjoint_products(own)).sum(0) / self.n_neurons
            found.append(ratio_of_pairs(total, self.counts))
        return stack_up(found)

    def products(self, cells):
        """Disjoint products averaged over neurons, per checkpoint."""
        return [disjoint_products(each).mean(0) for each in cells]

    def means(self, cells):
        """Means over neurons."""
        return mean_leave_outs(np.array([each.mean(0) for each in cells]), self.counts)


def stack_up(found):
    """One series of scalar statistics."""
    return LeaveOuts(*(np.array([getattr(each, part) for each in found]) for part in LeaveOuts.__slots__))


def plant(n, k, rms, rng):
    """Effects of k equal neurons of random sign with the rms given over all n."""
    theta = np.zeros(n)
    theta[rng.choice(n, k, replace=False)] = rms * np.sqrt(n / k) * rng.choice([-1, 1], k)
    return theta


def loss_draws(world, rng, n_steps, draws):
    """Cell sums [step, D, D] of loss without a change."""
    position = np.linspace(0, world.n_channels - 1, n_steps)
    low = np.minimum(position.astype(int), world.n_channels - 2)
    part = (position - low)[:, None, None]
    for _ in range(draws):
        cells = world.noise(rng)
        yield (1 - part) * cells[low] + part * cells[low + 1]


def judged(series, rng, **how):
    """Evidence of the rule with draws of its own."""
    return detect_change(series, noise=draw_noise(n_folds=N_FOLDS, rng=rng, draws=DRAWS), **how)


def null_table(given, rng):
    """Detections without any change."""
    rows = []
    for n_steps in (12, 40):
        for stratum in ("rare", "common"):
            world = open_world(given.noise, stratum, what="loss", kind=given.panel, rng=rng)
            found = [
                judged(mean_leave_outs(cells, world.counts), rng).status == "changed"
                for cells in loss_draws(world, rng, n_steps, given.draws)
            ]
            rows.append((n_steps, "loss", stratum, "own covariance", share(found), len(found)))
        series = Series(open_world(given.noise, "rare", kind=given.panel, rng=rng), rng, n_steps=n_steps)
        for growth in (False, True):
            found = {"mean influence": [], "mean square": []}
            for _ in range(given.draws // (3 if n_steps == 40 else 1)):
                cells = series.draw(growth)
                found["mean influence"].append(judged(series.means(cells), rng).status == "changed")
                square = stack_up([ratio_of_pairs(p, series.counts) for p in series.products(cells)])
                found["mean square"].append(judged(square, rng).status == "changed")
            noise = "growing tenfold" if growth else "constant"
            rows += [(n_steps, what, "rare", noise, share(hit), len(hit)) for what, hit in found.items()]
    table(("checkpoints", "statistic", "stratum", "noise over checkpoints", "detections at .05", "draws"), rows)


def turns_table(given, rng):
    """Any turn without a change; turns found of a rise and a fall."""
    rows = []
    for n_steps in (12, 40):
        world = open_world(given.noise, "rare", what="loss", kind=given.panel, rng=rng)
        noises = list(loss_draws(world, rng, n_steps, given.draws // (2 if n_steps == 40 else 1)))
        sd = np.std([(e[-1] - e[0]).sum() / world.counts.sum() for e in noises])
        shape = np.interp(np.arange(n_steps) / (n_steps - 1), [0, 0.3, 0.45, 0.65, 1], [0, 0, 1, 1, -1])
        for size in (0, 3, 5, 8):
            moves = []
            for cells in noises[: None if size == 0 else 150]:
                planted = cells + (size * sd * shape)[:, None, None] * world.counts
                noise = draw_noise(n_folds=N_FOLDS, rng=rng, draws=DRAWS)
                moves.append(find_moves(mean_leave_outs(planted, world.counts), noise=noise))
            top = np.flatnonzero(shape > 0.5)
            up = [any(m.change > 0 and m.end in top for m in found) for found in moves]
            down = [any(m.change < 0 and m.start in top for m in found) for found in moves]
            rows.append(
                (n_steps, size, share([len(m) > 0 for m in moves]), share(np.logical_and(up, down)), len(moves))
            )
    table(
        ("checkpoints", "rise, then twice the fall, in sd", "any turn", "rise to the top and fall from it", "draws"),
        rows,
    )


def power_rows(series, ks, given, rng, sizes=(1, 2, 3)):
    """Detection, dating and intervals of onsets of k specialists."""
    found = {(s, k, m): [] for s in SHAPES for k in ks for m in sizes if s == "abrupt" or m == 3}
    for _ in range(given.draws):
        cells = series.draw()
        products = series.products(cells)
        for (name, k, size), hits in found.items():
            theta = plant(series.n_neurons, k, size * series.floor, rng)
            square = series.squares(cells, products, theta, SHAPES[name](series.n_steps))
            noise = draw_noise(n_folds=N_FOLDS, rng=rng, draws=DRAWS)
            run = detect_change(square, noise=noise)
            hits.append((run.sign == 1, date_onset(square, sign=1, noise=noise) if run.sign == 1 else None))
    for (name, k, size), hits in found.items():
        dates = [date for hit, date in hits if hit]
        shape = SHAPES[name](series.n_steps)
        truth = int(np.argmax(shape >= 0.5))
        inside = [d.after < truth and (d.by is None or truth <= d.by) for d in dates]
        exact = [d.crossed_by == truth for d in dates]
        width = np.median([(series.n_steps if d.by is None else d.by) - d.after for d in dates]) if dates else np.nan
        yield (
            f"{k} of {series.n_neurons}",
            name,
            size,
            share([h for h, _ in hits]),
            share(inside),
            share(exact),
            width,
            len(hits),
        )


POWER_HEAD = (
    "specialists",
    "onset",
    "rms / floor",
    "found",
    "interval covers",
    "dated exactly",
    "median width",
    "draws",
)


def power_table(given, rng):
    """Onsets of mean squares at multiples of the floor."""
    series = Series(open_world(given.noise, "rare", kind=given.panel, rng=rng), rng)
    table(POWER_HEAD, list(power_rows(series, (1, 3, 20, 384), given, rng)))


def wide_table(given, rng):
    """The same among 4,096 neurons whose noise mixes that of 384."""
    world = open_world(given.noise, "rare", kind=given.panel, rng=rng)
    mix = rng.standard_normal((4096, world.n_channels))
    mix /= np.sqrt(np.square(mix).sum(1, keepdims=True))
    series = Series(world, rng, mix=mix, library=40)
    table(POWER_HEAD, list(power_rows(series, (20,), given, rng, sizes=(3,))))


def dates_table(given, rng):
    """Abrupt changes and ramps of loss."""
    rows = []
    for n_steps in (12, 40):
        for stratum in ("rare", "common"):
            world = open_world(given.noise, stratum, what="loss", kind=given.panel, rng=rng)
            noises = list(loss_draws(world, rng, n_steps, given.draws))
            sd = np.std([(e[-1] - e[0]).sum() / world.counts.sum() for e in noises])
            for name, make in SHAPES.items():
                shape, truth = make(n_steps), int(np.argmax(make(n_steps) >= 0.5))
                for size in (2, 3, 4, 6):
                    dates, found = [], []
                    for cells in noises:
                        planted = mean_leave_outs(
                            cells - (size * sd * shape)[:, None, None] * world.counts, world.counts
                        )
                        noise = draw_noise(n_folds=N_FOLDS, rng=rng, draws=DRAWS)
                        run = detect_change(planted, noise=noise)
                        found.append(run.sign == -1)
                        dates += [date_onset(planted, sign=-1, noise=noise)] if run.sign == -1 else []
                    exact = share([d.crossed_by == truth for d in dates])
                    inside = share([d.after < truth and (d.by is None or truth <= d.by) for d in dates])
                    rows.append((n_steps, stratum, name, size, share(found), inside, exact, len(noises)))
    head = ("checkpoints", "stratum", "fall", "size in sd", "found", "interval covers", "dated exactly", "draws")
    table(head, rows)


def minimal_table(given, rng):
    """Power at the printed minimal effect of another panel's noise, and at its own."""
    rows = []
    for stratum in ("rare", "common"):
        world = open_world(given.noise, stratum, what="loss", kind=given.panel, rng=rng)
        noises, sizes = list(loss_draws(world, rng, 12, given.draws)), []
        for cells in noises:
            series = mean_leave_outs(cells, world.counts)
            noise = draw_noise(n_folds=N_FOLDS, rng=rng, draws=DRAWS)
            bound = detect_change(series, noise=noise).critical_value
            sizes.append(run_effect(series, noise=noise, critical_value=bound, first=6))
        for name, used in (("another panel's", sizes[1:] + sizes[:1]), ("the median", [np.median(sizes)] * len(sizes))):
            step = SHAPES["abrupt"](12)[:, None, None] * world.counts
            planted = (mean_leave_outs(e + m * step, world.counts) for e, m in zip(noises, used, strict=True))
            found = [judged(series, rng).status == "changed" for series in planted]
            rows.append((stratum, name, f"{np.median(used):.3f}", share(found), len(found)))
    table(("stratum", "minimal effect", "median, nats", "power at it (nominal .80)", "draws"), rows)


PARTS = {
    "null": null_table,
    "turns": turns_table,
    "power": power_table,
    "wide": wide_table,
    "dates": dates_table,
    "minimal": minimal_table,
}


def main():
    """Print the tables of one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("noise", nargs="?")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--panel", default="forty", choices=("embedded", "forty", "many"))
    given = parser.parse_args()
    PARTS[given.part](given, np.random.default_rng(21))


if __name__ == "__main__":
    main()
