"""The text of an activity pass as n-grams: which one ends at each position, and how often each occurs in both parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_PARTS = 2
LENGTHS = (1, 2, 3)

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Grams:
    """N-grams of one length.

    Attributes
    ----------
    at : int array [context, pos]
        Number of the n-gram that ends there, or −1 before it is complete or eligible.
    occurrences : int array [part, gram]
    tokens : int array [gram, n]
    """

    at: Ids
    occurrences: Ids
    tokens: Ids


@dataclass(frozen=True, eq=False)
class Text:
    """The contexts of an activity pass.

    Attributes
    ----------
    token_ids : int array [context, pos]
    part : int array [context]
        0 or 1, of whole documents: detectors are found in one and confirmed in the other.
    min_position : int
        First eligible position; the last is the context's.
    grams : tuple of Grams
        Of one, two and three tokens.
    """

    token_ids: Ids
    part: Ids
    min_position: int
    grams: tuple[Grams, ...]

    @property
    def n_positions(self) -> Ids:
        """Eligible positions of each part."""
        return np.bincount(self.part, minlength=N_PARTS) * (self.token_ids.shape[1] - self.min_position)

    def frequent_types(self, k: int) -> Ids:
        """Return the k most frequent token ids at eligible positions, of both parts; fewer if fewer occur."""
        counts = self.grams[0].occurrences.sum(axis=0)
        return self.grams[0].tokens[np.argsort(-counts, kind="stable")[:k], 0]


def index_text(token_ids: Ids, part: Ids, *, min_position: int) -> Text:
    """Give the n-grams of a text numbers.

    Parameters
    ----------
    token_ids : int array [context, pos]
    part : int array [context]
        0 or 1.
    min_position : int
        At least 2, so that every eligible position ends a trigram.

    Raises
    ------
    ValueError
        If a part has no context, or `min_position` leaves no trigram or no position.
    """
    token_ids, part = np.asarray(token_ids, dtype=np.int64), np.asarray(part, dtype=np.int64)
    length = token_ids.shape[1]
    if not LENGTHS[-1] - 1 <= min_position < length:
        raise ValueError(f"min_position={min_position} of contexts of {length} tokens; trigrams need 2 to {length - 1}")
    if set(part.tolist()) != set(range(N_PARTS)):
        raise ValueError(f"parts {sorted(set(part.tolist()))} of the contexts, but both 0 and 1 are needed")
    grams, n_ids = [], int(token_ids.max()) + 1
    numbers = np.zeros((len(token_ids), length - min_position), dtype=np.int64)
    where = np.broadcast_to(part[:, None], numbers.shape)
    for n in LENGTHS:
        # From the last token back, so that a key stays below the number of distinct n-grams times the ids.
        keys = numbers * n_ids + token_ids[:, min_position - n + 1 : length - n + 1]
        first, numbers = _first_and_numbers(keys)
        at = np.full(token_ids.shape, -1, dtype=np.int64)
        at[:, min_position:] = numbers
        occurrences = np.stack([np.bincount(numbers[where == p], minlength=len(first)) for p in range(N_PARTS)])
        context, position = first // keys.shape[1], first % keys.shape[1] + min_position
        tokens = np.stack([token_ids[context, position - n + 1 + k] for k in range(n)], axis=1)
        grams.append(Grams(at, occurrences, tokens))
    return Text(token_ids, part, min_position, tuple(grams))


def _first_and_numbers(keys: Ids) -> tuple[Ids, Ids]:
    """First place of each distinct key in the flattened array, and the number of the key at each place."""
    _, first, numbers = np.unique(keys, return_index=True, return_inverse=True)
    return first, numbers.reshape(keys.shape)
