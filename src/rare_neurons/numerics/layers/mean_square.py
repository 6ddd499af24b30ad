"""Mean square over a layer's neurons from parts of the grid that share neither documents nor token types."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rare_neurons.numerics.grid.jackknife import one_way_variance


@dataclass(frozen=True)
class MeanSquare:
    """Mean over neurons of the squared mean effect, without noise, and its standard error over documents.

    Nats squared; None where a quadrant of the grid has no targets.
    """

    value: float | None
    standard_error: float | None
    leave_outs: tuple[float, ...] | None = None
    """Values without each document fold."""


def mean_square(sums: np.ndarray, counts: np.ndarray) -> MeanSquare:
    """Mean square over neurons from products of opposite quadrants of the grid.

    With A (folds 0 to 5, half 0), B (folds 6 to 11, half 1), C (folds 0 to 5, half 1) and D (folds 6 to 11, half 0) a
    neuron's sums in the quadrants, ``mean_i (A B + C D) / (n_A n_B + n_C n_D)``: factors share neither documents nor
    token types nor draws of signs, so the noise of none of them is counted, and the value can be below zero. What the
    estimates leave out is still missing: the third order of neurons that were not ablated.

    The standard error leaves out one document fold after the other: it is for other documents, not for other token
    types, and the same network.

    Parameters
    ----------
    sums : ndarray, shape (half, fold, neuron)
        Sums of the targets' effects, nats; folds even in number.
    counts : ndarray, shape (half, fold)
        Targets.

    Returns
    -------
    MeanSquare

    Examples
    --------
    A constant effect of 0.5 in all targets:

    >>> counts = np.arange(1.0, 9).reshape(2, 4)
    >>> mean_square(0.5 * counts[..., None], counts).value
    0.25
    """
    n_folds = counts.shape[1]
    early = np.arange(n_folds) < n_folds // 2
    kept = np.concatenate([np.ones((1, n_folds), bool), ~np.eye(n_folds, dtype=bool)])
    n = [np.einsum("hf,kf->kh", counts, (kept & side).astype(float)) for side in (early, ~early)]
    pairs = (n[0] * n[1][:, ::-1]).sum(1)
    if np.any(pairs == 0):
        return MeanSquare(None, None)
    s = [np.einsum("hfi,kf->khi", sums, (kept & side).astype(float)) for side in (early, ~early)]
    products = (s[0] * s[1][:, ::-1]).sum(1).mean(-1)
    values = products / pairs
    return MeanSquare(float(values[0]), float(np.sqrt(one_way_variance(values[1:]))), tuple(values[1:].tolist()))
