"""Contexts of a panel: many short excerpts of many documents."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Contexts:
    """Windows of text.

    Attributes
    ----------
    token_ids : ndarray of int64, shape (context, pos)
    document : ndarray of int64, shape (context, pos)
        The document that each token comes from; an end-of-text token belongs to the document it ends.
    """

    token_ids: Index
    document: Index


def cut_contexts(
    documents: list[Index],
    *,
    end_of_text: int,
    context_length: int,
    max_contexts: int | None,
    max_per_document: int,
    seed: int,
) -> Contexts:
    """Cut documents into contexts, none of which shares its documents with too many others.

    What a document adds to all its tokens is shared by them, so a panel learns more from a new document than from
    more of the same: of each document that fills a context at most `max_per_document` windows are taken, first one of
    every document (in random order), then a second one, and so on. Shorter documents are joined, an end-of-text token
    after each, until a context is full; the last one is cut off there and appears in no other context.

    Parameters
    ----------
    documents : list of int arrays
    end_of_text : int
        Token id put after a document.
    context_length : int
        Tokens in a context.
    max_contexts : int or None
        At most this many; all when None. Contexts of joined documents come first: they hold more documents each.
    max_per_document : int
    seed : int

    Raises
    ------
    ValueError
        If the documents do not fill a single context.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(documents))
    short = [i for i in order if len(documents[i]) < context_length]
    windows = _joined(documents, short, end_of_text, context_length)
    windows += _excerpts(
        documents, [i for i in order if len(documents[i]) >= context_length], rng, context_length, max_per_document
    )
    if not windows:
        total = sum(len(d) for d in documents)
        raise ValueError(
            f"{len(documents)} documents with {total} tokens do not fill one context of {context_length}; "
            "use a larger corpus or a shorter context_length"
        )
    kept = windows[:max_contexts]
    return Contexts(np.stack([ids for ids, _ in kept]), np.stack([document for _, document in kept]))


def units(contexts: Contexts) -> Index:
    """Return for each document the number of its unit: documents that share a context cannot be told apart by it.

    A fold must hold whole units. Documents without a context have a unit of their own.
    """
    n = int(contexts.document.max()) + 1
    unit = np.arange(n)
    for row in contexts.document:
        # Joined documents are in one context only, so no chain of contexts has to be followed.
        members = np.unique(row)
        unit[members] = members[0]
    return unit


def _joined(documents: list[Index], members: list[int], end_of_text: int, length: int) -> list[tuple[Index, Index]]:
    windows, ids, source, filled = [], [], [], 0
    for index in members:
        piece = np.append(documents[index], end_of_text)[: length - filled]
        ids.append(piece)
        source.append(np.full(len(piece), index))
        filled += len(piece)
        if filled == length:
            windows.append((np.concatenate(ids).astype(np.int64), np.concatenate(source).astype(np.int64)))
            ids, source, filled = [], [], 0
    return windows


def _excerpts(
    documents: list[Index], members: list[int], rng: np.random.Generator, length: int, most: int
) -> list[tuple[Index, Index]]:
    places = {i: rng.permutation(len(documents[i]) // length)[:most] for i in members}
    found = []
    for turn in range(most):
        for index in members:
            if turn < len(places[index]):
                start = int(places[index][turn]) * length
                found.append((documents[index][start : start + length].astype(np.int64), np.full(length, index)))
    return found
