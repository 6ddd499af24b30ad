"""Sums of a pass over contexts: first and second order, their noise, and what documents share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rare_neurons.numerics.panel.standard_error import streamed_cluster_variance

N_PARTS = 2
"""Whole loss, and loss within the target's stratum."""


@dataclass(frozen=True)
class EffectSums:
    """Sums over all contexts, nats; divide by the targets of the stratum for means.

    Attributes
    ----------
    first, second : ndarray, shape (stratum, part, half, fold, layer, neuron)
        First order, and the diagonal of the second order (the mean of the sign draws), by half of the type bins and
        document fold.
    sign_variance : ndarray, shape (stratum, part, layer, neuron)
        Variance of ``second``, summed over halves and folds, over draws of signs.
    sign_df : ndarray, shape (stratum, part, layer, neuron)
        Its degrees of freedom (`degrees_of_freedom`); infinite where it is zero.
    gauss_newton : ndarray, shape (stratum, layer, neuron)
        Squares of the contexts' first-order effects on within losses of drawn labels.
    fisher : ndarray, shape (stratum, part, layer, neuron)
        The same on both losses of the targets.
    document_variance : ndarray, shape (stratum, part, layer, neuron)
        Variance of the mean first-order effect over documents, nats squared; NaN with fewer than two documents.
    """

    first: np.ndarray
    second: np.ndarray
    sign_variance: np.ndarray
    sign_df: np.ndarray
    gauss_newton: np.ndarray
    fisher: np.ndarray
    document_variance: np.ndarray


class RunningSums:
    """Adds up batches of contexts; contexts of one document must come one after another."""

    def __init__(self, *, n_strata: int, n_halves: int, n_folds: int, n_layers: int, n_neurons: int) -> None:
        per_loss, neurons = (n_strata, N_PARTS), (n_layers, n_neurons)
        self.first, self.second = (np.zeros((*per_loss, n_halves, n_folds, *neurons)) for _ in range(2))
        self.sign_variance, self.sign_squares = (np.zeros((*per_loss, *neurons)) for _ in range(2))
        self.gauss_newton, self.fisher = np.zeros((n_strata, *neurons)), np.zeros((*per_loss, *neurons))
        self.n_draws = np.full((n_layers, 1), 2)
        self.documents = _OpenDocument((*per_loss, *neurons), n_strata)

    def add(
        self,
        *,
        first: np.ndarray,
        signs: Sequence[np.ndarray],
        gauss_newton: np.ndarray,
        fold: np.ndarray,
        document: np.ndarray,
        counts: np.ndarray,
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        first : ndarray, shape (stratum, part, half, context, layer, neuron)
        signs : sequence of ndarray, shape (draw, stratum, part, half, context, layer, neuron)
            Estimates of the second-order diagonal, one for each draw of signs; of the first layers, then of the next
            ones with as many draws as those have.
        gauss_newton : ndarray, shape (stratum, context, layer, neuron)
        fold, document : ndarray of int, shape (context,)
        counts : ndarray of int, shape (stratum, context)
            Targets.
        """
        for one in np.unique(fold):
            self.first[:, :, :, one] += first[:, :, :, fold == one].sum(3, dtype=np.float64)
        start = 0
        for group in signs:
            layers = slice(start, start := start + group.shape[-2])
            self._add_signs(group, layers, fold)
        self.gauss_newton += gauss_newton.sum(1, dtype=np.float64)
        of_losses = first.sum(2, dtype=np.float64)
        self.fisher += np.square(of_losses).sum(2)
        per_context = np.moveaxis(of_losses, 2, 0)
        for label, sums, n in zip(document.tolist(), per_context, counts.T, strict=True):
            self.documents.add(label, sums, n)

    def _add_signs(self, signs: np.ndarray, layers: slice, fold: np.ndarray) -> None:
        """Add the draws of some layers, and what they say of their noise."""
        second, n = signs.mean(0, dtype=np.float64), len(signs)
        for one in np.unique(fold):
            self.second[:, :, :, one, layers] += second[:, :, :, fold == one].sum(3)
        deviations = signs.sum(3, dtype=np.float64) - second.sum(2)
        of_context = np.square(deviations).sum(0) / (n * (n - 1))
        self.n_draws[layers] = n
        self.sign_variance[:, :, layers] += of_context.sum(2)
        self.sign_squares[:, :, layers] += np.square(of_context).sum(2)

    def finish(self) -> EffectSums:
        """Close the last document."""
        df = degrees_of_freedom(self.sign_variance, self.sign_squares, n_draws=self.n_draws)
        squares = (self.gauss_newton, self.fisher)
        return EffectSums(self.first, self.second, self.sign_variance, df, *squares, self.documents.variance())


def degrees_of_freedom(total: np.ndarray, squares: np.ndarray, *, n_draws: int | np.ndarray) -> np.ndarray:
    """Degrees of freedom of a sum of estimated variances (Satterthwaite 1946).

    Each of n draws has n - 1 of its own, so that its square overestimates the square of what it estimates by
    (n + 1)/(n - 1): ``(n + 1) (Σ v)² / Σ v² - 2``, from n - 1, where one v is all, to
    (n + 1) times their number less 2, where all are equal.

    Parameters
    ----------
    total, squares : ndarray
        Σ v and Σ v² of independent estimates of variances.
    n_draws : int or ndarray
        Draws that each v is estimated from; an array is broadcast over ``total``.

    Examples
    --------
    >>> degrees_of_freedom(np.array([1.0, 4.0]), np.array([1.0, 4.0]), n_draws=2).tolist()
    [1.0, 10.0]
    """
    share = np.divide(total**2, squares, out=np.full(np.shape(total), np.inf), where=squares > 0)
    return (n_draws + 1) * share - 2


class _OpenDocument:
    """Running sums over documents of which only the last is still open."""

    def __init__(self, shape: tuple[int, ...], n_strata: int) -> None:
        self.total, self.squares, self.products, self.sums = (np.zeros(shape) for _ in range(4))
        self.n, self.counts = np.zeros(n_strata), []
        self.label: int | None = None

    def add(self, label: int, sums: np.ndarray, n: np.ndarray) -> None:
        if label != self.label:
            self._close()
            self.label = label
        self.sums += sums
        self.n += n

    def _close(self) -> None:
        self.total += self.sums
        self.squares += np.square(self.sums)
        self.products += self.n[:, None, None, None] * self.sums
        self.counts.append(self.n.copy())
        self.sums[:], self.n[:] = 0, 0

    def variance(self) -> np.ndarray:
        self._close()
        counts = np.stack(self.counts, axis=1)
        return np.stack(
            [
                streamed_cluster_variance(
                    total=self.total[s], squares=self.squares[s], products=self.products[s], counts=n
                )
                for s, n in enumerate(counts)
            ]
        )
