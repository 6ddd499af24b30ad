"""Calibration of the regime test: false positives, power, intervals and differences where the truth is known.

Run with `python -m benchmarks.calibration.regimes`; prints the seeded tables of docs/methods/regimes.md.
"""

import argparse

import numpy as np
from scipy.stats import t as student_t

from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.grid.jackknife import standard_error
from rare_neurons.numerics.grid.leave_outs import stack
from rare_neurons.numerics.grid.moments import mean_leave_outs
from rare_neurons.numerics.grid.quadrants import opposite_quadrants
from rare_neurons.numerics.regimes.detection import regime_test
from rare_neurons.numerics.regimes.null_tables import null_table_sizes, regime_null_table
from rare_neurons.numerics.regimes.rank_curve import quadrant_means, rank_curve
from rare_neurons.numerics.regimes.resampled import QUANTITIES, measure_spacing_regimes, regime_differences

N = 1000
LEVEL = 0.05
FOLDS = 12


def _split_errors(rng, n):
    return np.where(np.arange(n) < n // 10, 10.0, 1.0)


# Each draws the noise of N neurons. The first nine carry the bar; the others show how far it reaches.
NOISE = {
    "half-normal": lambda rng, n: rng.standard_normal(n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "Weibull, shape 0.5": lambda rng, n: rng.weibull(0.5, n),
    "Weibull, shape 2": lambda rng, n: rng.weibull(2, n),
    "lognormal": lambda rng, n: rng.lognormal(size=n),
    "half-t(2)": lambda rng, n: rng.standard_t(2, n),
    "generalised gamma (2, 0.7)": lambda rng, n: rng.gamma(2, size=n) ** (1 / 0.7),
    "generalised gamma (0.3, 1.5)": lambda rng, n: rng.gamma(0.3, size=n) ** (1 / 1.5),
    "half-t(1)": lambda rng, n: rng.standard_t(1, n),
    "half-t(2.5), shape between tabulated ones": lambda rng, n: rng.standard_t(2.5, n),
    "half-t(4)": lambda rng, n: rng.standard_t(4, n),
    "power law, rank exponent 0.8": lambda rng, n: rng.random(n) ** -0.8,
    "log-logistic": lambda rng, n: np.exp(rng.logistic(size=n)),
    "inverse gamma, shape 2": lambda rng, n: 1 / rng.gamma(2, size=n),
}

# Each draws the standard errors of pure normal noise, given to the test (noise floor and scale-mixture null in use).
ERRORS = {
    "scale mixture, 10 % with 10 times the error": _split_errors,
    "scale mixture, lognormal errors (sd 0.8)": lambda rng, n: np.exp(0.8 * rng.standard_normal(n)),
    "scale mixture, errors of a half-t(2)": lambda rng, n: 1 / np.sqrt(rng.chisquare(2, n) / 2),
    "equal errors": lambda rng, n: np.ones(n),
}


def planted_curve(n, *, plateau_slope, exponent, decay=1.5, shares=(0.017, 0.126)):
    """Values 1 .. n of a continuous curve: rank exponents plateau_slope | exponent | decay, cut at shares of n."""
    log_rank = np.log(np.arange(1, n + 1))
    first, second = (np.log(round(share * n)) for share in shares)
    steeper = (exponent - plateau_slope) * np.maximum(log_rank - first, 0)
    return np.exp(-plateau_slope * log_rank - steeper - (decay - exponent) * np.maximum(log_rank - second, 0))


def planted_sample(rng, n, *, plateau_slope, exponent, decay):
    """The same three levels as a sample: independent exponential spacings instead of a fixed curve (Rényi)."""
    ranks = np.arange(1, n)
    level = np.where(ranks < round(0.017 * n), plateau_slope, np.where(ranks < round(0.126 * n), exponent, decay))
    return np.exp(-np.concatenate([[0], np.cumsum(rng.exponential(level) / ranks)]))


def false_positives(draw, tables, draws, seed, *, errors=None, n=N):
    """(share of p <= 5 %, share of p <= 5 % per family) on noise of n neurons."""
    rng, hits, families = np.random.default_rng(seed), 0, {}
    for k in range(draws):
        se = errors(rng, n) if errors else None
        x = np.abs(rng.standard_normal(n) * se if errors else draw(rng, n))
        found = regime_test(x, se, tables, seed=k)
        hits += found.null_p is not None and found.null_p <= LEVEL
        for family, p in found.family_p.items():
            families[family] = families.get(family, 0) + (p <= LEVEL)
    return hits / draws, {family: count / draws for family, count in families.items()}


def power(tables, draws, seed, *, sampled=False, **shape):
    """Share of planted curves with normal noise of half the median that are called, and the medians of the fit."""
    rng, hits, fits = np.random.default_rng(seed), 0, []
    for k in range(draws):
        curve = planted_sample(rng, N, **shape) if sampled else planted_curve(N, **shape)
        sd = np.median(curve) / 2
        x = np.abs(curve + sd * rng.standard_normal(N))
        found = regime_test(x, np.full(N, sd), tables, n_mixture_draws=99, seed=k)
        hits += found.null_p <= LEVEL
        fits.append((found.plateau_end, found.decay_start, found.rank_exponent))
    return hits / draws, np.median(fits, axis=0)


def planted_stratum(rng, effect, noise, *, type_effect=1.0, document_effect=1.0):
    """Influence, standard errors and cells of neurons with given effects; design effects by types and documents.

    `noise` is the standard error; half of what documents and types add is common to all neurons of one of five groups.
    """
    n, counts = len(effect), rng.poisson(55, (FOLDS, FOLDS)).astype(float)
    single = noise * np.sqrt(counts.sum() / (type_effect + document_effect - 1))  # sd of a target
    loadings = (np.random.default_rng(0).integers(0, 5, n) == np.arange(5)[:, None]).astype(float)

    def folds(design, shape):
        own, common = rng.standard_normal((*shape, n)), rng.standard_normal((*shape, 5)) @ loadings
        return single * np.sqrt(FOLDS * (design - 1) / counts.sum() / 2) * (own + common)

    shifts = folds(type_effect, (1, FOLDS)) + folds(document_effect, (FOLDS, 1))
    targets = single * np.sqrt(counts)[..., None] * rng.standard_normal((FOLDS, FOLDS, n))
    cells = CellSums(counts[..., None] * (effect + shifts) + targets, counts)
    return cells.sums.sum((0, 1)) / counts.sum(), np.full(n, noise), cells


def coverage(tables, draws, seed, *, resamples=200, confidence=0.9, **design):
    """Coverage of the 90 % intervals of the fit without evaluation noise, and of a zero difference of two strata."""
    rng, inside, zero = np.random.default_rng(seed), np.zeros(3), np.zeros(3)
    effect = planted_curve(N, plateau_slope=0.05, exponent=0.8)
    truth = 17, 126, 0.8
    for k in range(draws):
        noise = np.median(effect) / 2
        one, other = (
            measure_spacing_regimes(
                *planted_stratum(rng, effect, noise, **design), tables, n_resamples=resamples, seed=k
            )
            for _ in range(2)
        )
        bounds = [one.interval(quantity, confidence) for quantity in QUANTITIES]
        inside += [low is not None and low <= true <= high for (low, high), true in zip(bounds, truth, strict=True)]
        zero += [
            row.low is not None and row.low <= 0 <= row.high
            for row in regime_differences(one, other, confidence=confidence)
        ]
    return inside / draws, zero / draws


DESIGNS = {"common tokens": (11, 1.2), "rare tokens": (5.7, 1.5), "single targets alone": (1, 1)}
"""Design effects by types and by documents, as on the embedded models at step 1,000."""


def curve_coverage(draws, seed, effect, design):
    """Coverage of what the ordered neurons have, in each bin, by three kinds of intervals."""
    rng, inside = np.random.default_rng(seed), {"pigeonhole t(10)": [], "percentiles": [], "jackknife t(11)": []}
    for k in range(draws):
        cells = planted_stratum(rng, effect, 0.011, type_effect=design[0], document_effect=design[1])[2]
        curve = rank_curve(cells, n_bins=8, n_resamples=200, seed=k)
        orders = [np.argsort(-np.abs(x), kind="stable") for x in quadrant_means(cells)[:, 0]]
        signs = [np.sign(x[order]) for x, order in zip(quadrant_means(cells)[:, 0], orders, strict=True)]
        true = _binned(np.mean([effect[o] * s for o, s in zip(orders, signs, strict=True)], axis=0), curve)
        inside["pigeonhole t(10)"].append((curve.low <= true) & (true <= curve.high))
        spread = (curve.resampled - curve.resampled.mean(axis=0)) * np.sqrt(6 / 5) + curve.value
        low, high = np.quantile(spread, [0.05, 0.95], axis=0)
        inside["percentiles"].append((low <= true) & (true <= high))
        error = standard_error(_leave_outs(cells, orders, signs, curve))
        inside["jackknife t(11)"].append(np.abs(curve.value - true) <= student_t.ppf(0.95, 11) * error)
    return {name: np.mean(rows, axis=0) for name, rows in inside.items()}


def _binned(ordered, curve):
    return np.add.reduceat(ordered, curve.rank_low - 1, axis=-1) / (curve.rank_high - curve.rank_low + 1)


def _leave_outs(cells, orders, signs, curve):
    """The curve without each row, column and cell, the order held fixed."""
    parts = []
    for order, sign, (_, read) in zip(orders, signs, opposite_quadrants(FOLDS), strict=True):
        sums = _binned(cells.sums[:, :, order] * sign, curve) * read[..., None]
        parts.append(mean_leave_outs(np.moveaxis(sums, -1, 0), cells.counts * read))
    return stack(parts).mean()


def _print_curves(draws):
    print("| effects | noise | pigeonhole t(10) | percentiles | jackknife t(11) |\n| --- | --- | --- | --- | --- |")
    effects = {"none": np.zeros(200), "half-t(2)": 0.03 * np.random.default_rng(0).standard_t(2, 200)}
    for name, effect in effects.items():
        for noise, design in DESIGNS.items():
            found = curve_coverage(draws, 5, effect, design)
            cells = " | ".join(f"{100 * c.mean():.0f} % ({100 * c.min():.0f} %)" for c in found.values())
            print(f"| {name} | {noise} | {cells} |", flush=True)


def _print_coverage(tables, draws):
    print(
        "| noise | quantity | coverage of the truth | coverage of zero by the difference |\n| --- | --- | --- | --- |"
    )
    for noise, (types, documents) in DESIGNS.items():
        inside, zero = coverage(tables, draws, 3, type_effect=types, document_effect=documents)
        for quantity, a, b in zip(QUANTITIES, inside, zero, strict=True):
            print(f"| {noise} | {quantity} | {100 * a:.0f} % | {100 * b:.0f} % |", flush=True)


def _print_false_positives(tables, draws):
    print("| noise | false positives at 5 % | largest of the single families |\n| --- | --- | --- |")
    cases = [(name, draw, None) for name, draw in NOISE.items()] + [(name, None, e) for name, e in ERRORS.items()]
    for seed, (name, draw, errors) in enumerate(cases):
        share, families = false_positives(draw, tables, draws, seed, errors=errors)
        largest = max(families, key=families.get)
        print(f"| {name} | {100 * share:.1f} % | {largest} {100 * families[largest]:.1f} % |", flush=True)


def _print_sizes(draws):
    """The two least favourable families and the lognormal, at numbers of neurons that have no table of their own."""
    names = ("half-t(2)", "half-t(1)", "lognormal")
    split = "scale mixture, 10 % with 10 times the error"
    print(f"| neurons | {' | '.join(names)} | {split} |\n| --- | --- | --- | --- | --- |")
    for widest, n in ((384, 384), (384, 230), (384, 110), (2048, 1700)):
        tables = [
            regime_null_table(size, n_draws=2000, seed=0) for size in null_table_sizes(widest) if n / 2 < size < 2 * n
        ]
        shares = [false_positives(NOISE[name], tables, draws, 4, n=n)[0] for name in names]
        shares.append(false_positives(None, tables, draws, 4, errors=ERRORS[split], n=n)[0])
        print(f"| {n} | " + " | ".join(f"{100 * share:.1f} %" for share in shares) + " |", flush=True)


def _print_power(tables, draws):
    print("| slope beyond 12.6 % | plateau slope | exponent 0.3 | 0.5 | 0.8 |\n| --- | --- | --- | --- | --- |")
    for decay in (1.2, 1.5, 2.0):
        for slope in (0.02, 0.05, 0.1, 0.2):
            cells = [power(tables, draws, 1, plateau_slope=slope, exponent=e, decay=decay)[0] for e in (0.3, 0.5, 0.8)]
            print(f"| {decay} | {slope} | " + " | ".join(f"{100 * c:.0f} %" for c in cells) + " |", flush=True)


def _print_bar(tables, draws):
    print(
        "| curve | plateau slope | power | plateau_end | decay_start | rank_exponent |"
        "\n| --- | --- | --- | --- | --- | --- |"
    )
    for sampled in (False, True):
        for slope in (0.02, 0.05):
            shape = {"plateau_slope": slope, "exponent": 0.8, "decay": 1.5}
            share, fit = power(tables, draws, 2, sampled=sampled, **shape)
            kind = "exponential spacings" if sampled else "fixed"
            print(
                f"| {kind} | {slope} | {100 * share:.1f} % | {fit[0]:.0f} | {fit[1]:.0f} | {fit[2]:.2f} |", flush=True
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--part", choices=["false-positives", "sizes", "bar", "power", "coverage", "curves"])
    args = parser.parse_args()
    tables = [regime_null_table(N, n_draws=2000, seed=0)]
    if args.part in (None, "false-positives"):
        _print_false_positives(tables, args.draws)
    if args.part in (None, "sizes"):
        _print_sizes(args.draws // 2)
    if args.part in (None, "bar"):
        _print_bar(tables, args.draws // 2)
    if args.part in (None, "power"):
        _print_power(tables, args.draws // 5)
    if args.part in (None, "coverage"):
        _print_coverage(tables, args.draws // 10)
    if args.part in (None, "curves"):
        _print_curves(args.draws)


if __name__ == "__main__":
    main()
