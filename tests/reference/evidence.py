"""Rules of the evidence tiers in plain loops: one draw, one window, one pair of checkpoints at a time."""


def slow_largest_held(t, persistence, signs=(1, -1)):
    """Largest, over windows and directions, of the smallest signed value in the window."""
    best = float("-inf")
    for sign in signs:
        for start in range(len(t) - persistence + 1):
            best = max(best, min(sign * t[start + k] for k in range(persistence)))
    return best


def slow_first_exit(t, bound, persistence):
    """Index (with the first checkpoint counted as 0) and sign of the first window beyond the bound."""
    for start in range(len(t) - persistence + 1):
        for sign in (-1, 1):
            if all(sign * t[start + k] >= bound for k in range(persistence)):
                return start + 1, sign
    return None


def slow_moves(strength, low, high):
    """Pairs (start, end) chosen greedily by strength between two checkpoints; `strength` holds significant pairs."""
    inside = [pair for pair in strength if low <= pair[0] and pair[1] <= high]
    if not inside:
        return []
    start, end = max(inside, key=lambda pair: strength[pair])
    return [*slow_moves(strength, low, start), (start, end), *slow_moves(strength, end, high)]


def slow_holm(p_values):
    """Holm's adjusted p-values: each is the largest of (m − rank) p up to its rank."""
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    adjusted = [0.0] * len(p_values)
    for rank, k in enumerate(order):
        adjusted[k] = min(1.0, max((len(p_values) - r) * p_values[order[r]] for r in range(rank + 1)))
    return adjusted


def slow_decisions(primary, secondary, level=0.05, share=0.8):
    """Who is accepted when primary questions are asked in order at their share and secondary ones by Holm."""
    accepted = []
    for p in primary:
        accepted.append(all(accepted) and p <= share * level + 1e-15)
    rest = level if all(accepted) else (1 - share) * level
    return accepted, [p <= rest + 1e-15 for p in slow_holm(secondary)]
