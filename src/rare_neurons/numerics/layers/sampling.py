"""How much wider errors are because targets share token types, not only documents."""

from __future__ import annotations

import numpy as np

from rare_neurons.numerics.panel.standard_error import cluster_variance


def type_factor(
    effects: np.ndarray,
    *,
    mean: np.ndarray,
    weight: np.ndarray,
    document: np.ndarray,
    token: np.ndarray,
    document_variance: np.ndarray,
    n_targets: int,
) -> float | None:
    """Ratio of the two-way standard error to that over documents alone, one for all neurons of a layer.

    ``factor² = 1 + Σ_i E_i / Σ_i V_i`` over neurons i, not below 1, with V the variance over documents and

        E = [Σ_type (Σ w d)² − Σ_(document x type) (Σ w d)²] / n²,   d = x − mean,

    what targets of one type in different documents have in common: `V_type − V_(document x type)`, estimated from
    targets x that each stand for w of the stratum's n (Horvitz & Thompson 1952; those of different documents are drawn
    independently).

    Parameters
    ----------
    effects : ndarray, shape (target, neuron)
    mean : ndarray, shape (neuron,)
        Mean effect of all n targets.
    weight : ndarray, shape (target,)
    document, token : ndarray of int, shape (target,)
    document_variance : ndarray, shape (neuron,)
        V of the same neurons, nats squared.
    n_targets : int

    Returns
    -------
    float or None
        None if the variance over documents is zero or undefined.

    Examples
    --------
    Two documents and two types, each pair once; only the type matters, so that documents show no variance at all but
    for one neuron's:

    >>> effects = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    >>> type_factor(effects, mean=np.zeros(1), weight=np.ones(4), document=np.array([0, 0, 1, 1]),
    ...     token=np.array([7, 8, 7, 8]), document_variance=np.array([0.25]), n_targets=4) ** 2
    2.0
    """
    total = float(np.sum(document_variance))
    if not total > 0 or not len(effects):
        return None
    weighted = (effects - mean) * weight[:, None]
    pair = np.unique(np.stack([document, token]), axis=1, return_inverse=True)[1].reshape(-1)
    excess = float((_squares(weighted, token) - _squares(weighted, pair)).sum()) / n_targets**2
    return float(np.sqrt(max(1.0, 1.0 + excess / total)))


def _squares(values: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Σ over labels of the squared sums `[neuron]`."""
    of_label = np.unique(label, return_inverse=True)[1].reshape(-1)
    sums = np.zeros((of_label.max() + 1, values.shape[1]))
    np.add.at(sums, of_label, values)
    return np.square(sums).sum(0)


def audited_factor(effects: np.ndarray, *, document: np.ndarray, token: np.ndarray) -> float | None:
    """Find the same ratio from every target's effects `[target, neuron]` of some neurons; None as there.

    ``factor² = Σ_i max(V_document + V_type − V_pair, V_pair) / Σ_i V_document``.
    """
    pair = np.unique(np.stack([document, token]), axis=1, return_inverse=True)[1].reshape(-1)
    by_document, by_type, by_pair = (_variance(effects, label) for label in (document, token, pair))
    total = float(np.sum(by_document))
    if not total > 0:
        return None
    return float(np.sqrt(max(1.0, float(np.maximum(by_document + by_type - by_pair, by_pair).sum()) / total)))


def _variance(effects: np.ndarray, label: np.ndarray) -> np.ndarray:
    of_label = np.unique(label, return_inverse=True)[1].reshape(-1)
    counts = np.bincount(of_label)
    sums = np.zeros((len(counts), effects.shape[1]))
    np.add.at(sums, of_label, effects)
    return cluster_variance(sums, counts)
