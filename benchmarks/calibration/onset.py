"""Calibration of the onset rule: false positives, power and coverage where the truth is known.

Run with `python -m benchmarks.calibration.onset`; prints the seeded tables of docs/methods/onset.md.
"""

import argparse

import numpy as np
from scipy.signal import lfilter

from rare_neurons.numerics.onset.detect import detect_onset
from rare_neurons.numerics.onset.rule import OnsetRule

LOG_STEPS = np.array([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000])
PYTHIA_STEPS = np.concatenate([[0], 2 ** np.arange(10), np.arange(1000, 143001, 1000)])


def draw_ar1(phi, shape, rng):
    """Stationary AR(1) paths of unit innovations along the last axis of `shape`."""
    shocks = rng.standard_normal(shape)
    shocks[..., 0] /= np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], shocks, axis=-1)


def _walk(increments):
    return np.cumsum(increments, axis=-1)


# Each draws [seed, step] without any onset. The first five carry the bar; the others show how far it reaches.
NULLS = {
    "white noise": lambda shape, steps, rng: rng.standard_normal(shape),
    "AR(1) 0.3": lambda shape, steps, rng: draw_ar1(0.3, shape, rng),
    "AR(1) 0.5": lambda shape, steps, rng: draw_ar1(0.5, shape, rng),
    "AR(1) 0.8": lambda shape, steps, rng: draw_ar1(0.8, shape, rng),
    "random walk": lambda shape, steps, rng: _walk(rng.standard_normal(shape)),
    "random walk in steps": lambda shape, steps, rng: _walk(
        rng.standard_normal(shape) * np.sqrt(np.diff(steps, prepend=-1))
    ),
    "random walk, t(3)": lambda shape, steps, rng: _walk(rng.standard_t(3, shape)),
    "random walk + white noise": lambda shape, steps, rng: (
        _walk(rng.standard_normal(shape)) + 2 * rng.standard_normal(shape)
    ),
    "random walk, skewed upwards": lambda shape, steps, rng: _walk(rng.exponential(1, shape) - 1),
    "random walk, skewed downwards": lambda shape, steps, rng: _walk(1 - rng.exponential(1, shape)),
    "walk with momentum, AR(1) 0.5 increments": lambda shape, steps, rng: _walk(draw_ar1(0.5, shape, rng)),
}


def false_positives(null, steps, n_seeds, draws, seed, rule=None):
    """Share of `draws` series without onset in which each null, and the decision, is at or below the level.

    Returns
    -------
    array [4]
        White noise, AR(1), random walk, decision.
    """
    rule, rng, hits = rule or OnsetRule(), np.random.default_rng(seed), np.zeros(4)
    for _ in range(draws):
        runs = NULLS[null]((n_seeds, len(steps)), steps, rng)
        found = detect_onset(steps, runs.mean(axis=0), seeds_values=runs, rule=rule, seed=rng, draws=399, minimal=False)
        p_values = [found.p_white_noise, found.p_ar1, found.p_random_walk, found.p_value]
        hits += np.array(p_values) <= rule.level
    return hits / draws


def plant(shape, intervals, steps):
    """A rise from 0 to 1 over `intervals` doublings of the step, as values at the steps.

    Shapes: "middle" is centred on the doublings and stays; "late" ends at the last checkpoint; "passing" starts after
    the first doubling, and falls to 0.3 over the two doublings after its peak.
    """
    axis = np.log2(np.maximum(steps, 0.5))
    if shape == "late":
        return np.clip((axis - axis[-1]) / intervals + 1, 0, 1)
    start = axis[0] + 1 if shape == "passing" else np.round((axis[0] + axis[-1] - intervals) / 2)
    rise = np.clip((axis - start) / intervals, 0, 1)
    return rise if shape == "middle" else rise - 0.7 * np.clip((axis - start - intervals) / 2, 0, 1)


def power(size, intervals, steps, n_seeds, draws, seed, noise="walk", shape="middle", rule=None):
    """Share of series with a planted rise of `size` noise standard deviations that are called.

    Noise: "walk" has independent increments with variance 1 per doubling of the step; "white" has variance 1 at each
    checkpoint.
    """
    rule, rng, called = rule or OnsetRule(), np.random.default_rng(seed), 0
    axis = np.log2(np.maximum(steps, 0.5))
    gaps = np.sqrt(np.diff(axis, prepend=axis[0] - 1))
    planted = size * plant(shape, intervals, steps)
    for _ in range(draws):
        shocks = rng.standard_normal((n_seeds, len(steps)))
        runs = planted + (shocks if noise == "white" else _walk(shocks * gaps))
        found = detect_onset(steps, runs.mean(axis=0), seeds_values=runs, rule=rule, seed=rng, draws=399, minimal=False)
        called += found.detected
    return called / draws


def coverage(spread, n_seeds, draws, seed, *, steps=LOG_STEPS, width=2.0, noise=0.05, walk=0.03, rule=None):
    """How often the interval holds the mean onset over all runs that might have been.

    Each run rises from 0 to 1 by a logistic of `width` checkpoints (10 to 90 %) around its own onset, which is normal
    about the true one with standard deviation `spread`, in units of checkpoints; the true one is uniform over two
    cells in the middle. `noise` is white, `walk` the increments of a walk.

    Returns
    -------
    dict
        Share of draws that are detected; of these, the share with an interval; and among those its coverage, the
        coverage of percentiles of resampled seeds, and the mean width in grid cells (an open end counts to the last).
    """
    rule, rng = rule or OnsetRule(), np.random.default_rng(seed)
    index = np.arange(len(steps))
    detected, rows = 0, []
    for _ in range(draws):
        truth = len(steps) / 2 + rng.uniform(-1, 1)
        centres = truth + spread * rng.standard_normal((n_seeds, 1))
        runs = 1 / (1 + np.exp(-(index - centres) * 4.394 / width))
        runs = runs + noise * rng.standard_normal(runs.shape) + _walk(walk * rng.standard_normal(runs.shape))
        found = detect_onset(steps, runs.mean(axis=0), seeds_values=runs, rule=rule, seed=rng, draws=399, minimal=False)
        detected += found.detected
        # A run whose own onset lies beyond the checkpoints leaves no interval; that share is reported, not hidden.
        if found.onset_low is not None:
            rows.append((*_inside(found, truth, steps), _percentile_inside(runs, truth, rule, rng)))
    covered, widths, percentile = np.array(rows, dtype=float).T
    return {
        "detected": detected / draws,
        "with_interval": len(rows) / max(1, detected),
        "coverage": covered.mean(),
        "percentile_coverage": percentile.mean(),
        "mean_width": widths.mean(),
    }


def _inside(found, truth, steps):
    low = int(np.searchsorted(steps, found.onset_low))
    high = len(steps) if found.onset_high is None else int(np.searchsorted(steps, found.onset_high))
    return low <= truth <= high, high - low


def _percentile_inside(runs, truth, rule, rng):
    """The usual bootstrap over seeds: 5 to 95 % of the mean crossing of resampled seeds, to whole cells."""
    crossings = np.array([np.argmax(run >= rule.fraction * run.max()) - 0.5 for run in runs])
    means = rng.choice(crossings, size=(400, len(crossings))).mean(axis=1)
    low, high = np.quantile(means, [0.05, 0.95])
    return np.floor(low) <= truth <= np.ceil(high)


def _print_table(title, header, rows):
    print(f"\n### {title}\n\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for row in rows:
        cells = [cell if isinstance(cell, str) else f"{cell:.3g}" for cell in row]
        print(f"| {' | '.join(cells)} |", flush=True)


def print_false_positives(draws):
    """Table of false positives at 5 %, by schedule and number of seeds."""
    for label, steps, n_seeds in (("12", LOG_STEPS, 1), ("12", LOG_STEPS, 3), ("154", PYTHIA_STEPS, 1)):
        rows = [(name, *false_positives(name, steps, n_seeds, draws, 1)) for name in NULLS]
        header = ["no onset in", "white noise", "AR(1)", "random walk", "decision"]
        _print_table(f"False positives at 5 %, {label} checkpoints, {n_seeds} seed(s)", header, rows)


def print_power(draws):
    """Tables of power by size, extent, seeds, schedule and noise."""
    sizes = (4, 8, 16, 32)
    for noise in ("walk", "white"):
        for label, steps in (("12", LOG_STEPS), ("154", PYTHIA_STEPS)):
            rows = [
                (str(n_seeds), str(intervals), *(power(s, intervals, steps, n_seeds, draws, 2, noise) for s in sizes))
                for n_seeds in (1, 2, 3, 10)
                for intervals in (1, 2, 4, 8)
            ]
            header = ["seeds", "doublings", *(f"{s} sd" for s in sizes)]
            _print_table(f"Share called, {noise} noise, {label} checkpoints", header, rows)


def print_shapes(draws):
    """Table of power over the shape of the change: where it ends, and whether it lasts."""
    rows = [
        (
            str(n_seeds),
            shape,
            str(intervals),
            *(power(s, intervals, LOG_STEPS, n_seeds, draws, 4, shape=shape) for s in (8, 16)),
        )
        for n_seeds in (1, 2, 3)
        for shape in ("middle", "late", "passing")
        for intervals in (4, 6)
    ]
    _print_table(
        "Share called by shape, walk noise, 12 checkpoints", ["seeds", "shape", "doublings", "8 sd", "16 sd"], rows
    )


def print_coverage(draws):
    """Table of coverage at 90 % and mean width in grid cells."""
    rows = []
    for n_seeds, noise in ((3, 0.05), (3, 0.15), (5, 0.05), (10, 0.05)):
        for spread in (0.0, 0.25, 0.5, 1.0, 1.5):
            got = coverage(spread, n_seeds, draws, 3, noise=noise)
            rows.append((str(n_seeds), f"{noise:g}", f"{spread:g}", *got.values()))
    header = [
        "seeds",
        "noise",
        "spread (cells)",
        "detected",
        "with interval",
        "coverage",
        "by percentiles",
        "mean width (cells)",
    ]
    _print_table("Coverage of the mean onset at 90 %, 12 checkpoints", header, rows)


def main():
    """Print the tables asked for."""
    tables = {"false-positives": print_false_positives, "coverage": print_coverage, "power": print_power}
    tables["shapes"] = print_shapes
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000, help="series per cell (power uses a twentieth)")
    parser.add_argument("--tables", nargs="+", choices=tables, default=list(tables))
    asked = parser.parse_args()
    for name in asked.tables:
        tables[name](max(1, asked.draws // {"power": 20, "shapes": 5}.get(name, 1)))


if __name__ == "__main__":
    main()
