"""Plain exhaustive versions of the regime fits, one least-squares problem per pair of breakpoints."""

import itertools

import numpy as np
from scipy.optimize import minimize


def exhaustive_segments(x, y, n_segments, min_steps=2):
    """(rss, knots) of the best continuous piecewise-linear fit, by trying every set of knots."""
    n, best = len(x), (np.inf, None)
    for knots in itertools.combinations(range(min_steps, n - min_steps), n_segments - 1):
        if any(b - a < min_steps for a, b in itertools.pairwise(knots)):
            continue
        columns = [np.ones(n), x] + [np.clip(x - x[k], 0, None) for k in knots]
        fitted = np.stack(columns, 1) @ np.linalg.lstsq(np.stack(columns, 1), y, rcond=None)[0]
        best = min(best, (float(np.sum((y - fitted) ** 2)), knots))
    return best


def huber_objective(theta, i, j, y):
    """The seeds' penalised objective written out rank by rank; y holds ln values of all N ranks."""
    a1, b1, a2, b2, a3, d = theta
    n, total = len(y), 0.0
    x = np.log(np.arange(1, n + 1))
    for r in range(n - 1):
        if r < i:
            line = a1 + b1 * x[r]
        elif r < j:
            line = a2 + b2 * x[r]
        else:
            line = a3 + d * np.log(np.log(n) - x[r])
        gap = abs(y[r] - line)
        total += gap**2 / 2 if gap <= 1 else gap - 0.5
    left, right = x[i - 1], x[j - 1]
    total += (a1 + b1 * left - a2 - b2 * left) ** 2
    total += (a2 + b2 * right - a3 - d * np.log(np.log(n) - right)) ** 2
    return total + 0.1 * d**2


def exhaustive_huber(y, min_points=3):
    """(objective, plateau_end, decay_start) by a quasi-Newton search at every pair of breakpoints."""
    n, best = len(y) - 1, (np.inf, 0, 0)
    for i in range(min_points, n - 2 * min_points + 1):
        for j in range(i + min_points, n - min_points + 1):
            found = minimize(huber_objective, [y[0], 0, y[0], -1, y[-1], 1], args=(i, j, y), method="BFGS")
            best = min(best, (found.fun, i, j + 1))
    return best


def slow_rank_curve(sums, counts, low, high):
    """The cross-fitted curve for all signs over the four splits into opposite quadrants, neuron by neuron."""
    near, far = range(len(counts) // 2), range(len(counts) // 2, len(counts))

    def influence(rows, columns, neuron):
        cells = list(itertools.product(rows, columns))
        return sum(sums[a, b, neuron] for a, b in cells) / sum(counts[a, b] for a, b in cells)

    curves = []
    for one, other in (((near, near), (far, far)), ((near, far), (far, near))):
        for order_by, read in ((one, other), (other, one)):
            chosen = [influence(*order_by, k) for k in range(sums.shape[2])]
            order = sorted(range(len(chosen)), key=lambda k, x=chosen: -abs(x[k]))
            values = [np.sign(chosen[k]) * influence(*read, k) for k in order]
            curves.append([np.mean(values[lo - 1 : hi]) for lo, hi in zip(low, high, strict=True)])
    return np.mean(curves, axis=0)


def plain_levels(spacings, edges, min_level=5):
    """(T, first, second, exponent) by loops over cell edges and a general-purpose minimiser for the quadratic."""
    s = np.asarray(spacings, dtype=float)

    def level(start, stop):
        part = s[start:stop]
        return -len(part) * (np.log(part.mean()) + 1)

    best = (-np.inf, 0, 0, 0.0)
    for i, j in itertools.combinations(edges, 2):
        long_enough = i >= min_level and j - i >= min_level and edges[-1] - j >= min_level
        if long_enough and s[:i].mean() < s[i:j].mean() < s[j:].mean():
            total = level(0, i) + level(i, j) + level(j, edges[-1])
            best = max(best, (total, int(i), int(j), s[i:j].mean()))
    log_rank = np.log(np.arange(1, len(s) + 1))
    for start, stop in itertools.pairwise(edges):
        log_rank[start:stop] = log_rank[start:stop].mean()

    def loss(c):
        log_mean = c[0] + c[1] * log_rank + c[2] * log_rank**2
        return np.sum(log_mean + s * np.exp(-log_mean))

    quadratic = -min(minimize(loss, [np.log(s.mean()), c1, 0], method="BFGS").fun for c1 in (0.0, 0.5))
    return best[0] - quadratic, *best[1:]
