"""Plain double loop for the power-law tail: no logarithm sums by prefix, no pruning, no array tricks."""

import math


def slow_power_law(values, *, min_tail=2, distinct=False, min_value=1e-5):
    """Return (alpha, xmin, ks_distance, n_tail) of the Clauset-Shalizi-Newman fit, straight from its definition."""
    x = sorted(float(v) for v in values if v > min_value)
    best = None
    for i, xmin in enumerate(x[: len(x) - min_tail + 1]):
        if distinct and i > 0 and x[i - 1] == xmin:
            continue
        tail = x[i:]
        excess = math.fsum(math.log(v / xmin) for v in tail)
        if excess / len(tail) <= 1e-6:
            continue
        alpha = 1 + len(tail) / excess
        gaps = (abs(1 - (v / xmin) ** (1 - alpha) - j / len(tail)) for j, v in enumerate(tail))
        distance = max(gaps)
        if best is None or distance < best[2]:
            best = (alpha, xmin, distance, len(tail))
    return best
