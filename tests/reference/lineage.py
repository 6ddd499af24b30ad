"""Lineage with Python sets, one step and one neuron at a time."""

from itertools import combinations


def slow_top(influence, k):
    """Set of (neuron, sign) of the k largest |influence|; of equals the smaller index first."""
    order = sorted(range(len(influence)), key=lambda i: (-abs(influence[i]), i))
    return {(i, -1 if influence[i] < 0 else 1) for i in order[:k]}


def slow_lineage(steps, influence, k):
    """Per step the Jaccard index with the last step, and {neuron: (birth, settled, persistence)} of the last set."""
    tops = [slow_top(row, k) for row in influence]
    last = tops[-1]
    jaccard = [len(top & last) / len(top | last) for top in tops]
    lives = {}
    for member in last:
        inside = [member in top for top in tops]
        birth = inside.index(True)
        settled = max((i + 1 for i, here in enumerate(inside) if not here), default=0)
        lives[member[0]] = (steps[birth], steps[settled], sum(inside[birth:]) / (len(steps) - birth))
    return jaccard, lives


def slow_chance(n_neurons, k):
    """Mean overlap and mean Jaccard index of a fixed set with every set of k, and P(overlap >= m) for each m."""
    fixed = set(range(k))
    overlaps = [len(fixed & set(other)) for other in combinations(range(n_neurons), k)]
    mean_jaccard = sum(m / (2 * k - m) for m in overlaps) / len(overlaps)
    tail = [sum(o >= m for o in overlaps) / len(overlaps) for m in range(k + 1)]
    return sum(overlaps) / len(overlaps), mean_jaccard, tail
