"""One quantity of several runs over training: the runs and the checkpoints that can be compared."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def usable_runs(series: Sequence[Mapping[int, float]]) -> list[int]:
    """List the runs with a finite value at some step; one without must not take the others' steps with it.

    Parameters
    ----------
    series : sequence of mapping of int to float [run]
        Values by step, NaN where there is none.
    """
    return [i for i, values in enumerate(series) if np.isfinite(list(values.values())).any()]


def on_common_steps(series: Sequence[Mapping[int, float]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the steps that all runs have, ascending, and the values there [run, step].

    Parameters
    ----------
    series : sequence of mapping of int to float [run]
        At least one.
    """
    steps = sorted(set.intersection(*(set(values) for values in series)))
    table = np.array([[values[step] for step in steps] for values in series], dtype=float)
    return np.array(steps, dtype=np.int64), table.reshape(len(series), -1)


def mean_resamples(
    runs: Sequence[Mapping[int, ArrayLike]], steps: ArrayLike, *, n_resamples: int
) -> NDArray[np.float64]:
    """Average over runs resampled values [resample, step]; NaN at steps that a run has none of.

    Parameters
    ----------
    runs : sequence of mapping of int to array [resample]
        Resampled values by step, each draw of contexts used for all steps and runs.
    steps : array of int [step]
    n_resamples : int
    """
    missing, wanted = np.full(n_resamples, np.nan), np.asarray(steps, dtype=int).tolist()
    tables = [np.array([run.get(step, missing) for step in wanted]).reshape(len(wanted), n_resamples) for run in runs]
    return np.mean([table.T for table in tables], axis=0)


def at_doublings(steps: ArrayLike) -> NDArray[np.int64]:
    """Find the checkpoints [index] at doublings of the step, as a log-spaced schedule has them.

    Parameters
    ----------
    steps : array of int [step]
        Ascending.

    Examples
    --------
    >>> at_doublings([0, 1, 2, 3, 4, 5])
    array([0, 1, 2, 4])
    """
    every = np.asarray(steps)
    kept = list(range(min(len(every), 1)))
    for index in range(1, len(every)):
        # 1.9, not 2: the schedule 512, 1000, 2000 counts as doublings.
        if every[index] >= 1.9 * every[kept[-1]]:
            kept.append(index)
    return np.array(kept, dtype=int)
