"""Worlds in which the truth is known: cell sums with the embedded model's own noise over documents, types and neurons.

`measured` takes variances of documents, of types, of their pairs and of single targets, and the correlations over
neurons, from the file that `benchmarks.calibration.evidence_measure` writes; `synthetic` needs no file and has the
same shares of variance. A design says which documents and types the panel's 8,000 targets come from.
"""

import numpy as np

from rare_neurons.numerics.grid.folds import N_FOLDS, balance_folds
from rare_neurons.numerics.grid.panel_size import effective_count

N_TARGETS = 8000


def share(hits):
    """Share of a list of truths with its binomial standard error (Agresti & Coull 1998), as text."""
    n, p = len(hits), float(np.mean(hits)) if len(hits) else np.nan
    moved = (p * n + 2) / (n + 4)
    return f"{p:.3f} ± {np.sqrt(moved * (1 - moved) / (n + 4)):.3f}" if n else "-"


def table(head, rows):
    """Print a Markdown table."""
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)


class Design:
    """Documents and types of a panel's targets, and their folds.

    Parameters
    ----------
    document, types : int arrays [target]
    """

    def __init__(self, document, types):
        self.document, self.types = (np.unique(labels, return_inverse=True)[1] for labels in (document, types))
        sizes = [np.bincount(labels) for labels in (self.document, self.types)]
        self.effective = [effective_count(size) for size in sizes]
        self.row_of, self.column_of = (balance_folds(size) for size in sizes)
        row, column, d = self.row_of[self.document], self.column_of[self.types], N_FOLDS
        self.counts = np.zeros((d, d))
        np.add.at(self.counts, (row, column), 1)
        self.by_document, self.by_type = np.zeros((len(sizes[0]), d)), np.zeros((len(sizes[1]), d))
        np.add.at(self.by_document, (self.document, column), 1)
        np.add.at(self.by_type, (self.types, row), 1)
        _, first, n = np.unique(self.document * len(sizes[1]) + self.types, return_index=True, return_counts=True)
        self.pairs = np.zeros((d, d))  # Σ n² over pairs of document and type: what a pair's own effect weighs
        np.add.at(self.pairs, (row[first], column[first]), n.astype(float) ** 2)


def design(kind, types, document=None, rng=None):
    """Panels: `embedded` as measured; `forty` of 60 unequal documents; `many` of 400 capped ones. Types as measured."""
    if kind == "embedded":
        return Design(document, types)
    weight = rng.dirichlet(np.full(60, 2.0)) if kind == "forty" else np.full(400, 1 / 400)
    return Design(rng.choice(len(weight), len(types), p=weight), types)


class World:
    """Noise of many channels (neurons, or checkpoints) over the cells of a design.

    Parameters
    ----------
    design : Design
    document_effects, type_effects : arrays [effect, channel]
        Drawn with replacement and random sign.
    factor : array [channel, channel]
        Root of the covariance of a single target.
    pair_share : float
        Variance that targets of one document and type share beyond both, relative to a single target's.
    """

    def __init__(self, design, document_effects, type_effects, factor, pair_share):
        self.design, self.effects, self.factor = design, (document_effects, type_effects), factor
        self.spread = np.sqrt(design.counts + pair_share * design.pairs)
        self.n_channels = len(factor)

    @property
    def counts(self):
        return self.design.counts

    def noise(self, rng):
        """Cell sums [channel, D, D] without any effect."""
        cells = (self.factor @ rng.standard_normal((self.factor.shape[1], N_FOLDS**2))).reshape(-1, N_FOLDS, N_FOLDS)
        cells *= self.spread
        d = self.design
        for axis, (effects, fold, weights) in enumerate(
            zip(self.effects, (d.row_of, d.column_of), (d.by_document, d.by_type), strict=True)
        ):
            drawn = effects[rng.integers(0, len(effects), len(fold))] * rng.choice([-1.0, 1.0], len(fold))[:, None]
            for k in range(N_FOLDS):
                own = fold == k
                where = (slice(None), k) if axis == 0 else (slice(None), slice(None), k)
                cells[where] += drawn[own].T @ weights[own]
        return cells


def measured(path, stratum, *, what="influence", kind="embedded", rng=None):
    """World of a stratum's `influence` (channels are neurons) or `loss` (channels are checkpoints)."""
    store = np.load(path)
    values = store[f"{stratum}_{what}"].astype(float)
    values = values.T if what == "loss" else values
    document, types = store[f"{stratum}_document"], store[f"{stratum}_type"]
    found = components(values - values.mean(0), document, types)
    return World(design(kind, types, document, rng), *found)


def components(values, document, types):
    """Document and type effects scaled to their variances by moments, root of the rest's covariance, pair share."""
    document, types = (np.unique(labels, return_inverse=True)[1] for labels in (document, types))
    pair = np.unique(document * (types.max() + 1) + types, return_inverse=True)[1]
    n, square = len(values), np.square(values).sum(0)
    (sd, qd, nd), (st, qt, nt), (_, qp, npair) = (_sums(values, labels) for labels in (document, types, pair))
    weight = [float((count**2).sum()) for count in (nd, nt, npair)]
    of_document = np.maximum((qd - qp) / (weight[0] - weight[2]), 0)
    of_type = np.maximum((qt - qp) / (weight[1] - weight[2]), 0)
    of_pair = np.maximum((qp - square) / (weight[2] - n) - of_document - of_type, 0)
    rest = np.maximum(square / n - of_document - of_type - of_pair, 0.1 * square / n)
    effects = []
    for sums, count, variance in ((sd, nd, of_document), (st, nt, of_type)):
        means = (sums / count[:, None])[count >= 3]
        effects.append(means * np.sqrt(variance / np.maximum(np.square(means).mean(0), 1e-300)))
    covariance = np.cov(values.T)
    scale = np.sqrt(rest / np.diag(covariance))
    eigenvalues, vectors = np.linalg.eigh(covariance * scale[:, None] * scale)
    factor = vectors * np.sqrt(np.maximum(eigenvalues, 0))
    return (*effects, factor, float(np.median(of_pair / rest)))


def _sums(values, labels):
    """Sums per label, their squares summed, and counts."""
    count = np.bincount(labels).astype(float)
    sums = np.zeros((len(count), values.shape[1]))
    np.add.at(sums, labels, values)
    return sums, np.square(sums).sum(0), count


def synthetic(stratum, *, n_channels=384, kind="many", rng):
    """World with the measured shares of variance and eight common directions over neurons, without any file."""
    of_document, of_type, n_types, steep = (0.01, 0.04, 105, 10) if stratum == "common" else (0.01, 0.2, 1516, 60)
    weight = 1 / (np.arange(n_types) + steep)
    types = rng.choice(n_types, N_TARGETS, p=weight / weight.sum())
    document = rng.choice(58, N_TARGETS, p=rng.dirichlet(np.full(58, 0.4)))
    loading = rng.standard_normal((n_channels, 8)) * 0.25
    factor = np.concatenate([loading, np.eye(n_channels)], axis=1)
    effects = [np.sqrt(v) * rng.standard_normal((400, 8 + n_channels)) @ factor.T for v in (of_document, of_type)]
    return World(design(kind, types, document, rng), *effects, factor, 0.2)


def open_world(noise, stratum, *, what="influence", kind="embedded", rng):
    """Measured world if there is a file, else the synthetic one."""
    if noise:
        return measured(noise, stratum, what=what, kind=kind, rng=rng)
    n_channels = 12 if what == "loss" else 384
    return synthetic(stratum, n_channels=n_channels, kind=kind, rng=rng)
