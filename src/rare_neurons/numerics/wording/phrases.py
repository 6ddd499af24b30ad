"""Numbers, counts and checkpoints as words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_LARGEST_LEVEL = 0.2
_COUNTS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def count(n: int) -> str:
    """Return a small number as a word."""
    return _COUNTS[n] if n < len(_COUNTS) else str(n)


def several(n: int, noun: str) -> str:
    """Return ``one run``, ``three runs``, ``no runs``."""
    return f"{'no' if n == 0 else count(n)} {noun}{'' if n == 1 else 's'}"


def of_runs(k: int, n: int) -> str:
    """Say in how many of the runs."""
    if k < n:
        return f"{count(k)} of {several(n, 'run')}"
    return {1: "the one run", 2: "both runs"}.get(n, f"all {several(n, 'run')}")


def of_controls(k: int, n: int) -> str:
    """Say in how many of the controls, as the second half of a sentence that began with runs."""
    if k == 0:
        return "not in the one control" if n == 1 else f"in none of the {several(n, 'control')}"
    if k < n:
        return f"in {count(k)} of {several(n, 'control')}"
    return {1: "in the one control too", 2: "in both controls too"}.get(n, f"in all {several(n, 'control')} too")


def enumerated(parts: Sequence[str]) -> str:
    """Join with commas and a last `and`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def probability(p: float) -> str:
    """Return ``p = 0.012``, or a bound for what is too small to be read."""
    number = p_digits(p)
    return f"p {number}" if number.startswith("<") else f"p = {number}"


def p_digits(p: float) -> str:
    """Return a p-value with two digits, or as many as tell it from a level that it is above or below.

    Examples
    --------
    >>> p_digits(0.0123), p_digits(0.0502), p_digits(0.0002)
    ('0.012', '0.0502', '< 0.001')
    """
    if p < 0.001:
        return "< 0.001"
    texts = [f"{p:.{n}g}" for n in range(2, 7)]
    # Levels are round numbers, and a p beside one must not be printed as it.
    told = (text for text in texts if p >= _LARGEST_LEVEL or float(text) == p or float(text) != float(f"{p:.1g}"))
    return next(told, texts[-1])


def interval(low: float, high: float, *, scale: str, signed: bool = True) -> str:
    """Return an interval; on a logarithmic scale, of the factor."""
    if scale == "log":
        return f"[{np.exp(low):.3g}, {np.exp(high):.3g}]"
    return f"[{low:+.2g}, {high:+.2g}]" if signed else f"[{low:.2g}, {high:.2g}]"


def size(change: float, *, scale: str, unit: str) -> str:
    """Return a change without its sign: in its unit, or the factor."""
    if scale == "log":
        return f"a factor of {np.exp(abs(change)):.3g}"
    return f"{abs(change):.2g} {unit}".rstrip()


def after_and_by(after: int | None, by: int | None) -> str:
    """Return the interval of a date, as far as it is known."""
    start = "" if after is None else f"after step {after:,}"
    end = "" if by is None else f"by step {by:,}"
    return " and ".join(part for part in (start, end) if part)
