"""p of a run over its declared checkpoints: what is found must be found at several in a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from rare_neurons.numerics.evidence.comparison import Direction

from .findings import Finding


def held_p(findings: Sequence[Finding], *, persistence: int, direction: Direction) -> float | None:
    """Return the p that a question holds at so many trained checkpoints in a row, wherever in training.

    Within a window of `persistence` checkpoints the largest p counts, which is valid however they depend on each
    other; over windows and directions the smallest, times their number (Bonferroni).

    Parameters
    ----------
    findings : sequence of Finding
        Of one run, in the order of steps; those of step 0 are left out, and one without a p ends a window.
    persistence : int
    direction : {"rise", "fall", "either"}

    Returns
    -------
    float or None
        None where there is no window.
    """
    windows = windows_of(findings, persistence)
    names = {"rise": ("p_rise",), "fall": ("p_fall",), "either": ("p_rise", "p_fall")}[direction]
    found = [max(getattr(one, name) for one in window) for window in windows for name in names]
    return min(1.0, len(found) * min(found)) if found else None


def windows_of(findings: Sequence[Finding], persistence: int) -> list[Sequence[Finding]]:
    """List the sequences of so many neighbouring trained checkpoints at which all was tested."""
    trained = [one for one in findings if one.step > 0]
    windows = [trained[k : k + persistence] for k in range(len(trained) - persistence + 1)]
    return [window for window in windows if all(one.beyond is not None for one in window)]


def held_effect(
    findings: Sequence[Finding], *, persistence: int, direction: Direction, level: float, power: float
) -> float | None:
    """Effect beyond matched sets that `held_p` finds in so many cases in the last window; None without one.

    Normal: the effect whose estimate exceeds the critical value with the power asked at the noisier checkpoint of the
    window; of counts, that of Fisher's exact test. The comparison with the placebo and other questions ask for more.
    """
    windows = windows_of(findings, persistence)
    spread = max((one.spread for one in windows[-1]), default=0.0) if windows else 0.0
    if not spread > 0:
        return None
    tests = len(windows) * (2 if direction == "either" else 1)
    counts = windows[-1][-1].counts
    if counts is not None:
        return rise_found(*counts, level=level / tests, power=power)
    return float(spread * (ndtri(power) - ndtri(level / tests)))


def rise_found(start: int, n_neurons: int, *, level: float, power: float) -> float | None:
    """Return the rise of a share that Fisher's exact test finds in so many cases; None where no count would do.

    Examples
    --------
    >>> round(256 * rise_found(0, 256, level=0.025, power=0.8))
    9
    """
    from scipy.stats import binom, hypergeom  # here: half a second of import, for every job that only words claims

    size = np.arange(start, n_neurons + 1)
    p_value = hypergeom.sf(size - 1, 2 * n_neurons, size + start, n_neurons)
    critical = size[p_value <= level]
    if not len(critical):
        return None
    found = critical[binom.sf(critical[0] - 1, n_neurons, critical / n_neurons) >= power]
    return float(found[0] - start) / n_neurons if len(found) else None
