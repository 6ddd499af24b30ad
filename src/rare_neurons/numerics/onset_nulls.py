"""How often noise alone would draw the change that an onset rule asks for: white noise, AR(1), random walks."""

import numpy as np
from scipy.signal import lfilter

_EXACT_SIGN_PATTERNS = 4096  # all sign patterns are enumerated up to this number, and drawn beyond it


def measure_change(paths, baseline, persistence, direction):
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
    paths = np.asarray(paths, dtype=float)
    departure = paths[..., baseline:] - paths[..., :baseline].mean(axis=-1, keepdims=True)
    if direction == "fall":
        departure = -departure
    change = _held(departure, persistence)
    return np.maximum(change, _held(-departure, persistence)) if direction == "either" else change


def _held(departure, persistence):
    n_windows = departure.shape[-1] - persistence + 1
    held = departure[..., :n_windows]
    for shift in range(1, persistence):
        held = np.minimum(held, departure[..., shift : shift + n_windows])
    return held.max(axis=-1)


def white_noise_p(series, change, *, draws, rng):
    """P-value against white noise: the values of each seed in random order of the checkpoints.

    The statistic is the change of the seed mean over the root sum of squared increments, so that the size of an
    effect is not taken for the scale of the noise. Exact for exchangeable values.

    Parameters
    ----------
    series : array [seed, step]
    change : callable
        Maps paths [..., step] to the change of each, as `measure_change`.
    draws : int
    rng : numpy.random.Generator
    """
    paths = rng.permuted(np.broadcast_to(series, (draws, *series.shape)), axis=-1)
    return _p_value(_coherence(paths, change), _coherence(series[None], change)[0])


def ar1_p(series, change, *, draws, rng):
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
    return _p_value(_coherence(paths, change), _coherence(series[None], change)[0])


def random_walk_p(series, change, *, draws, rng):
    """P-value against random walks with matched increments: the series' own increments with signs at random.

    Exact for independent increments that are symmetric about zero, whatever their sizes: a walk whose increments grow
    with the spacing of the checkpoints, quiet first and loud later, is covered. Each seed's increments get their own
    signs. A change that goes up at each of m increments, all seeds counted, therefore cannot have a p-value below
    2^-m, however large it is.

    Parameters
    ----------
    series : array [seed, step]
    change : callable
    draws : int
        Used where there are more than 4,096 sign patterns; else all are enumerated, without Monte Carlo error.
    rng : numpy.random.Generator
    """
    increments = np.diff(series, axis=-1)
    exact = 2**increments.size <= _EXACT_SIGN_PATTERNS
    signs = _all_signs(increments.shape) if exact else _drawn_signs(increments.shape, draws, rng)
    return _p_value(change(_paths(increments * signs)), change(series.mean(axis=0)), exact=exact)


def evaluation_p(values, resamples, change):
    """P-value of the change against evaluation noise: resampled contexts, centred on the observed values.

    Parameters
    ----------
    values : array [step]
    resamples : array [resample, step]
        The same statistic from resampled contexts, each draw of contexts used for all steps.
    """
    return _p_value(change(resamples - values), change(values))


def minimal_change(series, change, *, ramp, level, power, rng, draws=199, walks=32):
    """Smallest change that would be called against the random walk with the given power, or None.

    The planted change rises along `ramp`. The walk is the observed series with its increments' signs at random; the
    answer is found by bisection in units of the walk's root sum of squares.

    Parameters
    ----------
    series : array [seed, step]
    change : callable
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

    def called(size):
        planted = nulls + size * step_up
        p_values = [_p_value(change(_paths(one * signs)), change(_paths(one))) for one in planted]
        return np.mean(np.asarray(p_values) <= level) >= power

    low, high = 0.0, scale
    while not called(high):
        low, high = high, 2 * high
        if high > 1000 * scale:
            return None
    for _ in range(6):
        middle = (low + high) / 2
        low, high = (low, middle) if called(middle) else (middle, high)
    return float(high)


def _paths(increments):
    """Mean over seeds of the paths [..., step] that start at 0 and have the given increments [..., seed, step - 1]."""
    walk = np.cumsum(increments.mean(axis=-2), axis=-1)
    return np.concatenate([np.zeros((*walk.shape[:-1], 1)), walk], axis=-1)


def _all_signs(shape):
    size = int(np.prod(shape))
    bits = (np.arange(2**size)[:, None] >> np.arange(size)) & 1
    return (2 * bits - 1).reshape(-1, *shape)


def _drawn_signs(shape, draws, rng):
    return 2 * rng.integers(0, 2, size=(draws, *shape), dtype=np.int8) - 1


def _coherence(paths, change):
    """Change of the seed mean over the root sum of squared increments; `paths` [draw, seed, step]."""
    scale = np.sqrt(np.sum(np.diff(paths, axis=-1) ** 2, axis=(-2, -1)))
    changes = change(paths.mean(axis=-2))
    return np.divide(changes, scale, out=np.zeros_like(changes), where=scale > 0)


def _p_value(null, observed, exact=False):
    # Ties are counted as exceeding: sign patterns that differ in zero increments draw the same path up to rounding.
    tolerance = 1e-9 * max(abs(float(observed)), float(np.max(np.abs(null), initial=0.0)))
    exceeding = int(np.count_nonzero(null >= observed - tolerance))
    return exceeding / len(null) if exact else (1 + exceeding) / (1 + len(null))
