"""How often noise alone would draw the change that an onset rule asks for: white noise, AR(1), random walks."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter

_EXACT_SIGN_PATTERNS = 4096  # all sign patterns are enumerated up to this number, and drawn beyond it
_FLOOR = 0.1  # share of all squared increments in every scale; chosen by power over shapes (docs/methods/onset.md)

Measure = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Maps paths, or increments of runs, to one number each."""


def measure_change(paths: ArrayLike, *, baseline: int, persistence: int, direction: str) -> NDArray[np.float64]:
    """Largest change from the baseline that `persistence` consecutive checkpoints hold, per path.

    Parameters
    ----------
    paths : array [..., step]
        Finite values at the checkpoints in use.
    baseline : int
        Number of leading checkpoints whose mean is the baseline.
    persistence : int
        Number of consecutive checkpoints, after the baseline, which must hold the change.
    direction : {"rise", "fall", "either"}

    Returns
    -------
    array [...]
        Change in the declared direction (for "either" its absolute value), in the units of `paths`. It may be negative.
    """
    held = _held(np.asarray(paths, dtype=float), baseline, persistence, direction)
    return held.max(axis=(-2, -1))


def measure_coherence(
    increments: NDArray[np.float64], *, baseline: int, persistence: int, direction: str
) -> NDArray[np.float64]:
    """How far a mean path gets beyond what its increments would reach with signs at random; the test statistic.

    The largest, over windows of `persistence` checkpoints, of the change held there divided by the root of the sum of
    squared increments up to the window's end plus a tenth of all. The first part keeps what happens after the change
    from counting against it (a quantity that rises and falls again); the second keeps a few tiny early increments
    from passing for a change. It is free of scale, so that an effect is not taken for the scale of its noise.

    Parameters
    ----------
    increments : array [..., seed, step - 1]
        Differences between neighbouring checkpoints, per run.
    baseline, persistence, direction
        As in `measure_change`.

    Returns
    -------
    array [...]
        0 where nothing changes at all.
    """
    squares = np.cumsum(np.sum(increments**2, axis=-2), axis=-1)
    scale = np.sqrt(squares[..., baseline + persistence - 2 :] + _FLOOR * squares[..., -1:]) / increments.shape[-2]
    held = _held(_paths(increments), baseline, persistence, direction)
    scale = scale[..., None, :]
    return np.divide(held, scale, out=np.zeros_like(held), where=scale > 0).max(axis=(-2, -1))


def _held(paths: NDArray[np.float64], baseline: int, persistence: int, direction: str) -> NDArray[np.float64]:
    """Change from the baseline held by each window [..., direction, window]."""
    departure = paths[..., baseline:] - paths[..., :baseline].mean(axis=-1, keepdims=True)
    ways = {"rise": [departure], "fall": [-departure], "either": [departure, -departure]}[direction]
    departure = np.stack(ways, axis=-2)
    n_windows = departure.shape[-1] - persistence + 1
    held = departure[..., :n_windows]
    for shift in range(1, persistence):
        held = np.minimum(held, departure[..., shift : shift + n_windows])
    return held


def white_noise_p(series: NDArray[np.float64], statistic: Measure, *, draws: int, rng: np.random.Generator) -> float:
    """P-value against white noise: the values of each seed in random order of the checkpoints.

    Exact for exchangeable values.

    Parameters
    ----------
    series : array [seed, step]
    statistic : callable
        Maps increments [..., seed, step - 1] to one number each, as `measure_coherence`.
    draws : int
    rng : numpy.random.Generator
    """
    paths = rng.permuted(np.broadcast_to(series, (draws, *series.shape)), axis=-1)
    return _p_value(statistic(np.diff(paths)), statistic(np.diff(series)))


def ar1_p(series: NDArray[np.float64], statistic: Measure, *, draws: int, rng: np.random.Generator) -> float:
    """P-value against stationary Gaussian AR(1) paths with the series' own coefficient; `series` [seed, step].

    The coefficient is pooled over seeds and corrected for its small-sample bias, phi + (1 + 3 phi) / n (Kendall 1954),
    within [0, 0.99]: an uncorrected fit to 12 checkpoints makes the null too quiet.
    """
    n_steps = series.shape[-1]
    centred = series - series.mean(axis=-1, keepdims=True)
    power = np.sum(centred**2)
    if power == 0:
        return 1.0
    phi = np.sum(centred[:, 1:] * centred[:, :-1]) / power
    phi = float(np.clip(phi + (1 + 3 * phi) / n_steps, 0.0, 0.99))
    shocks = rng.standard_normal((draws, *series.shape))
    shocks[..., 0] /= np.sqrt(1 - phi**2)
    paths = lfilter([1.0], [1.0, -phi], shocks, axis=-1) * centred.std(axis=-1)[None, :, None]
    return _p_value(statistic(np.diff(paths)), statistic(np.diff(series)))


def random_walk_p(series: NDArray[np.float64], statistic: Measure, *, draws: int, rng: np.random.Generator) -> float:
    """P-value against random walks with matched increments: the series' own increments with signs at random.

    Exact for independent increments that are symmetric about zero, whatever their sizes: a walk whose increments grow
    with the spacing of the checkpoints, quiet first and loud later, is covered. Each seed's increments get their own
    signs. A change that goes up at each of m increments, all seeds counted, therefore cannot have a p-value below
    2^-m, however large it is.

    Parameters
    ----------
    series : array [seed, step]
    statistic : callable
    draws : int
        Used where there are more than 4,096 sign patterns; else all are enumerated, without Monte Carlo error.
    rng : numpy.random.Generator
    """
    increments = np.diff(series, axis=-1)
    exact = 2**increments.size <= _EXACT_SIGN_PATTERNS
    signs = _all_signs(increments.shape) if exact else _drawn_signs(increments.shape, draws, rng)
    return _p_value(statistic(increments * signs), statistic(increments), exact=exact)


def evaluation_p(values: NDArray[np.float64], noise: NDArray[np.float64], change: Measure) -> float:
    """P-value of the change against evaluation noise alone.

    Parameters
    ----------
    values : array [step]
    noise : array [resample, step]
        Departures of `values` from resampled contexts, each draw of contexts used for all steps.
    change : callable
        Maps paths [..., step] to the change of each, as `measure_change`.
    """
    return _p_value(change(noise), change(values))


def minimal_change(
    series: NDArray[np.float64],
    statistic: Measure,
    *,
    ramp: NDArray[np.float64],
    level: float,
    power: float,
    rng: np.random.Generator,
    draws: int = 199,
    walks: int = 32,
) -> float | None:
    """Smallest change that would be called against the random walk with the given power, or None.

    The planted change rises along `ramp`. The walk is the observed series with its increments' signs at random; the
    answer is found by bisection in units of the walk's root sum of squares.

    Parameters
    ----------
    series : array [seed, step]
    statistic : callable
    ramp : array [step]
        From 0 at the baseline to 1.
    level, power : float
    draws, walks : int
        Sign patterns per p-value; walks to which the change is added.
    rng : numpy.random.Generator

    Returns
    -------
    float | None
        In the units of `series`; None if no change up to 1,000 walks would be called.
    """
    increments = np.diff(series, axis=-1)
    n_seeds = len(series)
    scale = np.sqrt(np.sum(increments**2)) / n_seeds
    if scale == 0:
        return 0.0
    nulls = increments * _drawn_signs(increments.shape, walks, rng)
    signs = _drawn_signs(increments.shape, draws, rng)
    step_up = np.diff(ramp)

    def called(size: float) -> bool:
        planted = nulls + size * step_up
        p_values = [_p_value(statistic(one * signs), statistic(one)) for one in planted]
        return bool(np.mean(np.asarray(p_values) <= level) >= power)

    low, high = 0.0, scale
    while not called(high):
        low, high = high, 2 * high
        if high > 1000 * scale:
            return None
    for _ in range(6):
        middle = (low + high) / 2
        low, high = (low, middle) if called(middle) else (middle, high)
    return float(high)


def _paths(increments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over seeds of the paths [..., step] that start at 0 and have the given increments [..., seed, step - 1]."""
    walk = np.cumsum(increments.mean(axis=-2), axis=-1)
    return np.concatenate([np.zeros((*walk.shape[:-1], 1)), walk], axis=-1)


def _all_signs(shape: tuple[int, ...]) -> NDArray[np.int64]:
    size = int(np.prod(shape))
    bits = (np.arange(2**size)[:, None] >> np.arange(size)) & 1
    return (2 * bits - 1).reshape(-1, *shape)


def _drawn_signs(shape: tuple[int, ...], draws: int, rng: np.random.Generator) -> NDArray[np.int8]:
    return 2 * rng.integers(0, 2, size=(draws, *shape), dtype=np.int8) - 1


def _p_value(null: NDArray[np.float64], observed: float | NDArray[np.float64], *, exact: bool = False) -> float:
    # Ties are counted as exceeding: sign patterns that differ in zero increments draw the same path up to rounding.
    tolerance = 1e-9 * max(abs(float(observed)), float(np.max(np.abs(null), initial=0.0)))
    exceeding = int(np.count_nonzero(null >= observed - tolerance))
    return exceeding / len(null) if exact else (1 + exceeding) / (1 + len(null))
