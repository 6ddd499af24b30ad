"""Speed of the regime fits, as ratios within one run: the Huber form, the regime test, one checkpoint.

Run with `python -m benchmarks.regimes`; CPU seconds, one thread.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.optimize import differential_evolution
from threadpoolctl import threadpool_limits

from benchmarks.calibration.regimes import planted_curve
from rare_neurons.numerics.grid.cell_sums import CellSums
from rare_neurons.numerics.regimes.conventions import measure_regimes
from rare_neurons.numerics.regimes.detection import regime_test
from rare_neurons.numerics.regimes.huber import fit_huber_regimes
from rare_neurons.numerics.regimes.null_tables import null_table_sizes, regime_null_table


def seed_objective(theta, x, g, y):
    """The seeds' penalised Huber objective as a function of six coefficients and two breakpoints in ln rank."""
    n = len(x)
    i = int(np.clip(np.searchsorted(x, theta[6], side="right"), 3, n - 6))
    j = int(np.clip(np.searchsorted(x, theta[7], side="right"), i + 3, n - 3))
    residual = np.abs(
        np.concatenate(
            [
                y[:i] - theta[0] - theta[1] * x[:i],
                y[i:j] - theta[2] - theta[3] * x[i:j],
                y[j:] - theta[4] - theta[5] * g[j:],
            ]
        )
    )
    inner = np.minimum(residual, 1.0)
    left = theta[0] - theta[2] + (theta[1] - theta[3]) * x[i - 1]
    right = theta[2] + theta[3] * x[j - 1] - theta[4] - theta[5] * g[j - 1]
    return inner @ (residual - inner / 2) + left**2 + right**2 + 0.1 * theta[5] ** 2


def evolve(log_values, seed, **options):
    """Differential evolution (SciPy's defaults unless told) over all eight parameters."""
    n = len(log_values)
    x = np.log(np.arange(1, n))
    g, y = np.log(np.log(n) - x), log_values[:-1]
    line = [(y.min() - 5, y.max() + 5), (-5.0, 1.0)]
    bounds = [*line, *line, line[0], (-1.0, 5.0), (0, x[-1]), (0, x[-1])]
    return differential_evolution(partial(seed_objective, x=x, g=g, y=y), bounds, seed=seed, **options).fun


def cpu_seconds(call: Callable, repeats: int = 1):
    """(CPU seconds of the fastest of some runs, last result)."""
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        best = min(best, time.process_time() - start)
    return best, result


def samples(n, seed):
    rng = np.random.default_rng(seed)
    curve = planted_curve(n, plateau_slope=0.05, exponent=0.8)
    yield "half-normal", np.abs(rng.standard_normal(n))
    yield "half-t(3)", np.abs(rng.standard_t(3, n))
    yield "planted regimes", np.abs(curve + np.median(curve) / 2 * rng.standard_normal(n))


def bench_huber(n, seeds, options, label):
    ratios, excess, slow, fast = [], [], [], []
    for seed in range(seeds):
        for _, values in samples(n, seed):
            log_values = np.log(np.sort(values)[::-1])
            ours, fit = cpu_seconds(lambda y=log_values: fit_huber_regimes(y), repeats=5)
            theirs, objective = cpu_seconds(lambda y=log_values, s=seed: evolve(y, s, **options))
            ratios.append(theirs / ours)
            excess.append(objective - fit.objective)
            slow.append(theirs)
            fast.append(ours)
    print(
        f"| {label}, n = {n} | {1e3 * statistics.median(fast):.1f} ms | {statistics.median(slow):.2f} s "
        f"| {statistics.median(ratios):.0f}x ({min(ratios):.0f} to {max(ratios):.0f}) "
        f"| {min(excess):+.1e} to {max(excess):+.1e} |",
        flush=True,
    )


def bench_test(n, repeats):
    table = [regime_null_table(n, n_draws=1000, seed=0)]
    print("\n| regime test of one (stratum, sign) | CPU, median (range) |\n| --- | --- |")
    for name, values in samples(n, 0):
        se = np.full(n, np.median(values) / 2)
        calls = [cpu_seconds(lambda v=values, e=se: regime_test(v, e, table, seed=0))[0] for _ in range(repeats)]
        print(f"| {name}, n = {n} | {_spread(calls)} |", flush=True)


def bench_checkpoint(n, repeats):
    """All rows of one stratum (three signs, eight conventions) beyond the null tables."""
    rng = np.random.default_rng(0)
    counts = rng.integers(30, 60, (12, 12)).astype(float)
    effect = 0.01 * rng.standard_t(2, n)
    sums = counts[..., None] * effect + 0.3 * np.sqrt(counts)[..., None] * rng.standard_normal((12, 12, n))
    se = np.full(n, 0.3 / np.sqrt(counts.sum()))
    cells = CellSums(sums, counts)
    build, tables = cpu_seconds(lambda: [regime_null_table(size, n_draws=1000, seed=0) for size in null_table_sizes(n)])
    call = partial(measure_regimes, sums.sum((0, 1)) / counts.sum(), se, cells, seed=0)
    calls = [cpu_seconds(lambda: call(null_tables=tables))[0] for _ in range(repeats)]
    print(f"| all rows of one stratum, {n} neurons | {_spread(calls)} |")
    print(f"| null tables, once per layer width {n} | {build:.1f} s |", flush=True)


def _spread(seconds):
    low, middle, high = (1e3 * f(seconds) for f in (min, statistics.median, max))
    return f"{middle:.0f} ms ({low:.0f} to {high:.0f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    with threadpool_limits(1):
        run(args.seeds)


def run(seeds):
    print(
        "| Huber form against differential evolution | ours | theirs | ratio, median (range) | their excess objective |"
    )
    print("| --- | --- | --- | --- | --- |")
    for n in (384, 2048):
        bench_huber(n, seeds, {}, "SciPy defaults")
    bench_huber(384, 1, {"tol": 1e-8, "maxiter": 3000}, "run until it converges")
    bench_test(2048, 10)
    bench_checkpoint(384, 5)
    bench_checkpoint(2048, 3)


if __name__ == "__main__":
    main()
