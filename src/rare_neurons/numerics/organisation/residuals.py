"""What is left of activations when frequency and position are taken off, and its correlations."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_BINS = 20


def confounder_design(
    log_p_target: ArrayLike, log_p_input: ArrayLike, position: ArrayLike, *, n_bins: int = N_BINS
) -> NDArray[np.float64]:
    """Build the regressors of activations that no claim is about: how frequent both tokens are, and the position.

    Parameters
    ----------
    log_p_target, log_p_input : array_like, shape (row,)
        Log probability, in the training distribution, of the target and of the input token.
    position : array_like, shape (row,)
    n_bins : int
        Quantile bins of each log probability.

    Returns
    -------
    ndarray, shape (row, column)
        A constant, the position, and of each log probability the indicators of its bins, itself and its square.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    values = [np.asarray(v, dtype=np.float64) for v in (log_p_target, log_p_input, position)]
    for name, column in zip(("log_p_target", "log_p_input", "position"), values, strict=True):
        if not np.isfinite(column).all():
            row = int(np.flatnonzero(~np.isfinite(column))[0])
            raise ValueError(f"{name} of row {row} is {column[row]}; leave rows without a finite one out")
    columns = [np.ones((len(values[0]), 1)), _score(values[2])[:, None]]
    for column in values[:2]:
        edges = np.unique(np.quantile(column, np.linspace(0, 1, n_bins + 1)[1:-1]))
        bins = np.digitize(column, edges)
        score = _score(column)
        columns += [(bins[:, None] == np.unique(bins)[1:]).astype(float), np.stack([score, score**2], axis=1)]
    return np.concatenate(columns, axis=1)


def standardised_residuals(activations: ArrayLike, design: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Take off what a design explains, and scale to unit variance; a neuron that does not vary becomes zero.

    Parameters
    ----------
    activations : array_like, shape (row, neuron)
        Of the rows of one stratum and part: the mean is taken off.
    design : ndarray, shape (row, column), optional
        `confounder_design`; without one only the mean is taken off.

    Returns
    -------
    ndarray, shape (row, neuron)

    Raises
    ------
    ValueError
        If the design has half as many columns as there are rows, or more: too little would be left.
    """
    a = np.asarray(activations, dtype=np.float64)
    centred = a - a.mean(axis=0)
    scale = np.sqrt((centred**2).mean(axis=0))
    if design is not None:
        if 2 * design.shape[1] > len(a):
            raise ValueError(
                f"{len(a)} rows for a design of {design.shape[1]} columns; use twice as many rows or fewer bins"
            )
        centred = centred - design @ np.linalg.lstsq(design, centred, rcond=1e-10)[0]
    left = np.sqrt((centred**2).mean(axis=0))
    # What a design explains altogether is left as rounding of the activation's own size.
    keep = left > 1e-9 * scale
    return np.divide(centred, left, out=np.zeros_like(centred), where=keep)


def correlations(standardised: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlate every pair of neurons, ``[neuron, neuron]``, from `standardised_residuals`."""
    return standardised.T @ standardised / len(standardised)


def _score(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 0 else 1.0)
