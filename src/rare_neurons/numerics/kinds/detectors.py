"""Detectors: neurons that are active on a few n-grams, on nearly all of their occurrences, and on little else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rare_neurons.numerics.kinds.counts import LayerCounts
from rare_neurons.numerics.kinds.ngrams import Grams, Text

MOST_GRAMS = 5
COVERED = PRECISE = 0.95
MIN_ACTIVE = 20
"""Activations of a detector, both parts."""
MIN_CONFIRM = 5
"""And in the part where it is confirmed: the one with fewer of them."""

NAMES = ("token_detector", "bigram_detector", "trigram_detector")

Array = NDArray[np.int64]


@dataclass(frozen=True)
class Detector:
    """What a neuron detects.

    Attributes
    ----------
    kind : {"token_detector", "bigram_detector", "trigram_detector", "undecided"} or None
        None where it detects nothing.
    triggers : tuple of tuple of int
        Token ids of its n-grams, the one with most activations first.
    reason : str or None
        Why undecided.
    """

    kind: str | None
    triggers: tuple[tuple[int, ...], ...] = ()
    reason: str | None = None


class DetectorSearch:
    """Decide which neurons of a layer are detectors: exactly of those with lists, from bounds of the others.

    A detector of n-grams has at most five n-grams, each active on at least 95 % of its occurrences, that together hold
    at least 95 % of its activations, of which there are at least twenty: found in the part with more of them, and the
    same n-grams do so in the other. Bigrams are asked for only if no tokens do it, trigrams only if neither does.

    Parameters
    ----------
    counts : LayerCounts
    text : Text
    """

    def __init__(self, counts: LayerCounts, text: Text) -> None:
        self.counts, self.text = counts, text
        tokens = text.grams[0]
        order = np.argsort(tokens.tokens[:, 0])
        self.numbers = order[np.searchsorted(tokens.tokens[order, 0], counts.frequent)]
        self.beyond = np.delete(tokens.occurrences, self.numbers, axis=1)
        self.most = [[_most(part) for part in grams.occurrences] for grams in text.grams]

    def __call__(self, neuron: int) -> Detector:
        """Say what a neuron detects.

        `undecided` where n-grams that were not counted could make it a detector, or where the other part has too few
        activations to confirm it.
        """
        n_active = self.counts.n_active[:, neuron]
        if n_active.sum() < MIN_ACTIVE:
            return Detector(None)
        find = int(np.argmax(n_active))
        return self._from_list(neuron, find) if self.counts.listed[neuron] else self._from_bounds(neuron, find)

    def _from_list(self, neuron: int, find: int) -> Detector:
        places = self.counts.places(neuron)
        part = self.text.part[places // self.text.token_ids.shape[1]]
        for name, grams in zip(NAMES, self.text.grams, strict=True):
            numbers = grams.at.ravel()[places]
            some, active = np.unique(numbers[part == find], return_counts=True)
            found = _head(some, active, grams.occurrences[find][some], needed=COVERED * active.sum())
            if found is not None:
                there = numbers[part != find]
                counted = np.array([np.count_nonzero(there == gram) for gram in found])
                return _confirmed(name, grams, found, part=1 - find, counted=counted, n_active=len(there))
        return Detector(None)

    def _from_bounds(self, neuron: int, find: int) -> Detector:
        """Decide from counts of frequent types; an n-gram that was not counted is active at most where it occurs."""
        counts, tokens = self.counts, self.text.grams[0]
        needed = COVERED * counts.n_active[find, neuron]
        active, occurrences = counts.by_type[find, :, neuron], tokens.occurrences[find][self.numbers]
        rows = _head(np.arange(len(active)), active, occurrences, needed=needed)
        if rows is not None:
            part = 1 - find
            there = {"counted": counts.by_type[part, rows, neuron], "n_active": counts.n_active[part, neuron]}
            return _confirmed(NAMES[0], tokens, self.numbers[rows], part=part, **there)
        precise = active[active >= PRECISE * occurrences]
        bounds = (_most(np.concatenate([precise, self.beyond[find]])), *(most[find] for most in self.most[1:]))
        for name, bound in zip(NAMES, bounds, strict=True):
            if bound >= needed:
                reason = f"active too often for a list, and n-grams that were not counted could make it a {name}"
                return Detector("undecided", reason=reason)
        return Detector(None)


def covering_number(counts: LayerCounts, text: Text, neuron: int) -> int | None:
    """Count the token types that hold 95 % of a listed neuron's activations, both parts; None for others."""
    if not counts.listed[neuron] or not counts.n_active[:, neuron].sum():
        return None
    held = np.sort(np.unique(text.grams[0].at.ravel()[counts.places(neuron)], return_counts=True)[1])[::-1]
    return int(np.searchsorted(np.cumsum(held), COVERED * held.sum()) + 1)


def _head(grams: Array, active: Array, occurrences: Array, *, needed: float) -> Array | None:
    """At most five precise n-grams, most activations first, that hold as many activations as are needed."""
    precise = np.flatnonzero((active >= PRECISE * occurrences) & (active > 0))
    head = precise[np.argsort(-active[precise], kind="stable")[:MOST_GRAMS]]
    if active[head].sum() < needed:
        return None
    return grams[head[: int(np.searchsorted(np.cumsum(active[head]), needed)) + 1]]


def _confirmed(name: str, grams: Grams, found: Array, *, part: int, counted: Array, n_active: int) -> Detector:
    """Ask the same of the other part: n-grams with their activations there, and all activations there."""
    triggers = tuple(tuple(int(t) for t in grams.tokens[gram]) for gram in found)
    if n_active < MIN_CONFIRM:
        reason = f"{name} on one part, but {n_active} activations on the other; {MIN_CONFIRM} would confirm it"
        return Detector("undecided", triggers, reason)
    occurrences = grams.occurrences[part][found]
    precise = counted >= PRECISE * occurrences
    holds = counted[precise].sum() >= COVERED * n_active
    return Detector(name, triggers) if holds else Detector(None)


def _most(values: Array) -> int:
    return int(np.sort(values)[::-1][:MOST_GRAMS].sum())
