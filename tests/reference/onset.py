"""Plain loops for the onset rule: one path, one checkpoint, one sign pattern at a time."""

import itertools


def slow_change(path, baseline, persistence):
    """Largest rise over the baseline mean that `persistence` consecutive values hold."""
    base = sum(path[:baseline]) / baseline
    best = float("-inf")
    for start in range(baseline, len(path) - persistence + 1):
        best = max(best, min(path[start + i] - base for i in range(persistence)))
    return best


def slow_coherence(increments, baseline, persistence):
    """Largest held rise of the mean path over the root of squares up to the window's end plus a tenth of all."""
    n_seeds, n_steps = len(increments), len(increments[0]) + 1
    path = [0.0]
    for i in range(n_steps - 1):
        path.append(path[-1] + sum(run[i] for run in increments) / n_seeds)
    total = sum(d * d for run in increments for d in run)
    base = sum(path[:baseline]) / baseline
    best = float("-inf")
    for start in range(baseline, n_steps - persistence + 1):
        held = min(path[start + i] - base for i in range(persistence))
        end = start + persistence - 1
        so_far = sum(run[i] ** 2 for run in increments for i in range(end))
        best = max(best, held / ((so_far + 0.1 * total) ** 0.5 / n_seeds))
    return best


def slow_walk_p(series, baseline, persistence):
    """Share of all sign patterns of all increments that are at least as coherent as the observed ones."""
    n_seeds, n_moves = len(series), len(series[0]) - 1
    increments = [[run[i + 1] - run[i] for i in range(n_moves)] for run in series]
    observed = slow_coherence(increments, baseline, persistence)
    hits = total = 0
    for flat in itertools.product((-1, 1), repeat=n_seeds * n_moves):
        signed = [[flat[k * n_moves + i] * increments[k][i] for i in range(n_moves)] for k in range(n_seeds)]
        hits += slow_coherence(signed, baseline, persistence) >= observed - 1e-9
        total += 1
    return hits / total


def slow_dates(path, baseline, persistence, fraction):
    """(onset_by, offset_by) of a rise, or (None, None)."""
    change = slow_change(path, baseline, persistence)
    if change <= 0:
        return None, None
    level = sum(path[:baseline]) / baseline + fraction * change
    by = None
    for start in range(baseline, len(path) - persistence + 1):
        if by is None and all(path[start + i] >= level for i in range(persistence)):
            by = start
    base = sum(path[:baseline]) / baseline
    held = [min(path[s + i] for i in range(persistence)) - base for s in range(baseline, len(path) - persistence + 1)]
    window = baseline + held.index(max(held))
    peak = max(range(window, window + persistence), key=lambda i: (path[i], -i))
    for start in range(peak + 1, len(path) - persistence + 1):
        if all(path[start + i] < level for i in range(persistence)):
            return by, start
    return by, None


def slow_holm(p_values):
    """Holm's adjusted p-values from their definition, one hypothesis at a time."""
    ranked = sorted(p_values)
    n = len(p_values)
    return [min(1.0, max((n - j) * ranked[j] for j in range(ranked.index(p) + 1))) for p in p_values]
