"""Mean square over a layer's neurons from parts of the grid that share neither documents nor token types."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rare_neurons.numerics.grid.jackknife import one_way_variance
from rare_neurons.numerics.grid.moments import disjoint_products


@dataclass(frozen=True)
class MeanSquare:
    """Mean over neurons of the squared mean effect, without noise, and its standard error over documents.

    Nats squared; None where no two parts that hold targets are disjoint.
    """

    value: float | None
    standard_error: float | None
    leave_outs: tuple[float, ...] | None = None
    """Values without each document fold."""


def mean_square(sums: np.ndarray, counts: np.ndarray) -> MeanSquare:
    """Mean square over neurons from products of sums that share neither documents nor token types.

    With S[h, f] a neuron's sum over targets of half h of the type bins and document fold f, and N[h, f] their number,

        Q = mean_i Σ_(f ≠ g) S[0, f] S[1, g] / Σ_(f ≠ g) N[0, f] N[1, g].

    The factors share neither documents, nor token types, nor draws of signs, so the noise of none of them is counted
    and Q can be below zero: it estimates what other texts of the same kind would show. What the sums leave out is still
    missing: the third order of neurons that were not ablated.

    The standard error leaves out one document fold after the other: it is for other documents, and counts neither other
    token types nor another network.

    Parameters
    ----------
    sums : ndarray, shape (half, fold, neuron)
        Sums of the targets' effects, nats; two halves.
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
    pairs = disjoint_products(counts)
    n = pairs.sum() - 2 * np.concatenate([[0.0], pairs.sum(0)])
    if np.any(n <= 0):
        return MeanSquare(None, None)
    products = disjoint_products(np.moveaxis(sums, -1, 0)).mean(0)
    values = (products.sum() - 2 * np.concatenate([[0.0], products.sum(0)])) / n
    return MeanSquare(float(values[0]), float(np.sqrt(one_way_variance(values[1:]))), tuple(values[1:].tolist()))


def mean_influence(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean over neurons of the mean effect, and the same without each document fold.

    Parameters
    ----------
    sums : ndarray, shape (half, fold, neuron)
        Sums of the targets' effects, nats.
    counts : ndarray, shape (half, fold)
        Targets.

    Returns
    -------
    ndarray, shape (1 + fold,)
        Nats per token and neuron; nan where no target is left.
    """
    total, n = sums.mean(-1).sum(0), counts.sum(0)
    kept = np.concatenate([[n.sum()], n.sum() - n])
    values = np.concatenate([[total.sum()], total.sum() - total])
    return np.divide(values, kept, out=np.full(len(kept), np.nan), where=kept > 0)
