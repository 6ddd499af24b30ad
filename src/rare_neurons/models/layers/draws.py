"""What is drawn: contexts of the panel, signs, labels and single targets; the same whatever the batches are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rare_neurons.errors import RequestError
from rare_neurons.models.allocation.contexts import spread_over_folds
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.grid.folds import N_FOLDS

_LABELS, _TARGETS, _SIGNS, _TARGET_SIGNS = range(1, 5)  # streams of one seed


@dataclass(frozen=True)
class Sample:
    """Contexts of a panel in the order of their documents, and their targets of the declared strata.

    Attributes
    ----------
    strata : tuple of str
    token_ids : int64 `[context, pos]`
    fold, cluster : int `[context]`
        Document fold of the grid, and a label that contexts with a document in common share.
    context, position, target_id, stratum, half, document : int `[target]`
        By context; `stratum` counts the declared ones, `half` is 0 for type bins 0 to 5 of the grid and 1 for the rest.
    uniform : float64 `[target]`
        In (0, 1]: what decides which label is drawn for each.
    natural : slice
        Eligible natural positions.
    """

    strata: tuple[str, ...]
    token_ids: np.ndarray
    fold: np.ndarray
    cluster: np.ndarray
    context: np.ndarray
    position: np.ndarray
    target_id: np.ndarray
    stratum: np.ndarray
    half: np.ndarray
    document: np.ndarray
    uniform: np.ndarray
    natural: slice

    def __len__(self) -> int:
        """Count the contexts."""
        return len(self.token_ids)

    def batches(self, size: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Contexts one batch after the other, and the rows of their targets."""
        for start in range(0, len(self), size):
            stop = min(start + size, len(self))
            first, last = np.searchsorted(self.context, [start, stop])
            yield slice(start, stop), np.arange(first, last)

    def counts(self, contexts: slice) -> np.ndarray:
        """Targets of each stratum in some contexts `[stratum, context]`."""
        return self._table()[:, contexts]

    def n_targets(self) -> np.ndarray:
        """Targets of each stratum `[stratum]`."""
        return np.bincount(self.stratum, minlength=len(self.strata))

    def _table(self) -> np.ndarray:
        table = np.zeros((len(self.strata), len(self)), dtype=np.int64)
        np.add.at(table, (self.stratum, self.context), 1)
        return table


def draw_sample(panel: PanelArrays, strata: Sequence[str], n_contexts: int | None, seed: int) -> Sample:
    """Choose contexts with targets of the declared strata (`spread_over_folds`), and draw labels for them.

    Parameters
    ----------
    n_contexts : int or None
        None, or more than there are: all.
    seed : int
        Of the labels.

    Raises
    ------
    RequestError
        Without a stratum, or for one that the panel does not have.
    """
    if not strata:
        raise RequestError(
            f"layers: none of the strata asked for is of the panel; its strata: {', '.join(panel.strata)}"
        )
    unknown = [name for name in strata if name not in panel.strata]
    if unknown:
        raise RequestError(f"layers: stratum {unknown[0]!r} is not of the panel; its strata: {', '.join(panel.strata)}")
    declared = np.array([panel.strata.index(name) for name in strata])
    wanted = np.isin(panel.stratum, declared)
    chosen = spread_over_folds(np.unique(panel.context[wanted]), panel.fold, n_contexts)
    cluster = _clusters(panel, chosen)
    order = np.lexsort((chosen, cluster, panel.fold[chosen]))
    chosen, cluster = chosen[order], cluster[order]
    place = np.full(len(panel.token_ids), -1)
    place[chosen] = np.arange(len(chosen))
    rows = np.flatnonzero(wanted & (place[panel.context] >= 0))
    rows = rows[np.argsort(place[panel.context[rows]], kind="stable")]
    uniform = 1 - np.random.default_rng([seed, _LABELS]).random(len(panel.context))
    return Sample(
        strata=tuple(strata),
        token_ids=np.ascontiguousarray(panel.token_ids[chosen], dtype=np.int64),
        fold=panel.fold[chosen],
        cluster=cluster,
        context=place[panel.context[rows]],
        position=panel.position[rows].astype(np.int64),
        target_id=panel.target_id[rows].astype(np.int64),
        stratum=np.argmax(panel.stratum[rows][:, None] == declared, axis=1),
        half=(panel.type_bin[rows] >= N_FOLDS // 2).astype(np.int64),
        document=panel.document[rows],
        uniform=uniform[rows],
        natural=slice(panel.min_position, panel.token_ids.shape[1] - 1),
    )


def _clusters(panel: PanelArrays, contexts: np.ndarray) -> np.ndarray:
    """Find the first document of each context `[context]`: documents that are joined in one are in no other."""
    first = np.full(len(panel.token_ids), np.iinfo(np.int64).max)
    np.minimum.at(first, panel.context, panel.document)
    return first[contexts]


def draw_signs(contexts: slice, *, draw: int, shape: tuple[int, int], seed: int) -> np.ndarray:
    """Signs of one draw `[layer, context, neuron]` (int8), independent of one another; one for all of a context."""
    found = [_signs([seed, _SIGNS, draw, context], shape) for context in range(contexts.start, contexts.stop)]
    return np.stack(found, 1)


def draw_target_signs(sample: Sample, contexts: slice, *, draws: int, n_neurons: int, seed: int) -> np.ndarray:
    """Signs of every target of some contexts, independent of one another `[draw, target, neuron]` (int8)."""
    counts = sample.counts(contexts).sum(0)
    found = [
        _signs([seed, _TARGET_SIGNS, contexts.start + place], (draws, int(n), n_neurons))
        for place, n in enumerate(counts)
    ]
    return np.concatenate(found, 1)


def _signs(seed: Sequence[int], shape: tuple[int, ...]) -> np.ndarray:
    n = int(np.prod(shape))
    bits = np.unpackbits(np.frombuffer(np.random.default_rng(seed).bytes(-(-n // 8)), dtype=np.uint8))
    return 2 * bits[:n].reshape(shape).astype(np.int8) - 1


@dataclass(frozen=True)
class TargetDraws:
    """Single targets of one stratum.

    `rows` `[draw, context]` are rows of the sample, −1 where a context has no further target; `weight` `[context]` says
    for how many targets each drawn one of a context stands.
    """

    rows: np.ndarray
    weight: np.ndarray


def draw_targets(sample: Sample, stratum: int, *, n_draws: int, seed: int) -> TargetDraws:
    """Draw targets of one stratum from every context, without repetition."""
    rng = np.random.default_rng([seed, _TARGETS, stratum])
    mine = rng.permutation(np.flatnonzero(sample.stratum == stratum))
    rows = np.full((n_draws, len(sample)), -1)
    n = np.zeros(len(sample), dtype=np.int64)
    for row in mine:
        context = sample.context[row]
        if n[context] < n_draws:
            rows[n[context], context] = row
        n[context] += 1
    return TargetDraws(rows, n / np.maximum(np.minimum(n, n_draws), 1))
