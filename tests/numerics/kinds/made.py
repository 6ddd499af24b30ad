"""Counts of made-up neurons, from where each is active."""

import numpy as np

from rare_neurons.numerics.kinds.counts import LayerCounts
from rare_neurons.numerics.kinds.ngrams import Text, index_text

MIN_POSITION = 4
PHRASE = (2, 0, 1)


def zipf_text(n_contexts: int = 120, length: int = 48, vocab: int = 80, seed: int = 0) -> Text:
    rng = np.random.default_rng(seed)
    p = 1 / np.arange(2, vocab + 2)
    ids = rng.choice(vocab, size=(n_contexts, length), p=p / p.sum())
    if vocab > max(PHRASE):  # words that are frequent together, and each common without the others
        for start in rng.integers(0, length - 3, size=(n_contexts, 2)).T:
            ids[np.arange(n_contexts)[:, None], start[:, None] + np.arange(3)] = PHRASE
    return index_text(ids, np.arange(n_contexts) % 2, min_position=MIN_POSITION)


def counts_of(text: Text, active: np.ndarray, *, frequent: int = 20, listed: float = 0.2) -> LayerCounts:
    """Dense counting of `active` `[context, pos, neuron]`, by plain sums."""
    active = active.copy()
    active[:, : text.min_position] = False
    ids, n = text.frequent_types(frequent), active.shape[2]
    where = [[(text.token_ids == i) & (text.part == p)[:, None] for i in ids] for p in (0, 1)]
    lists = [np.flatnonzero(active[:, :, k].ravel()) for k in range(n)]
    rare = np.array([len(places) <= listed * text.n_positions.sum() for places in lists])
    kept = [places if ok else places[:0] for places, ok in zip(lists, rare, strict=True)]
    shifted = np.stack([np.roll(context[text.min_position :], k + 1, axis=0) for k, context in enumerate(active)])
    return LayerCounts(
        n_active=np.stack([active[text.part == p].sum((0, 1)) for p in (0, 1)]),
        frequent=ids,
        by_type=np.array([[active[w].sum(0) for w in row] for row in where]),
        by_position=active[:, text.min_position :].sum(0),
        by_rotated=shifted.sum(0),
        listed=rare,
        offsets=np.concatenate([[0], np.cumsum([len(p) for p in kept])]),
        positions=np.concatenate(kept),
        sd=np.ones(n),
    )


def occurs(text: Text, gram: tuple[int, ...]) -> np.ndarray:
    """Where an n-gram ends `[context, pos]`."""
    hit = np.ones(text.token_ids.shape, dtype=bool)
    for back, token in enumerate(reversed(gram)):
        hit &= np.roll(text.token_ids, back, axis=1) == token
        hit[:, :back] = False
    hit[:, : text.min_position] = False
    return hit


def common_gram(text: Text, n: int, skip: int = 0) -> tuple[int, ...]:
    grams = text.grams[n - 1]
    return tuple(int(t) for t in grams.tokens[np.argsort(-grams.occurrences.sum(0), kind="stable")[skip]])
