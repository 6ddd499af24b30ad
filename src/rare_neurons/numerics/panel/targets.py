"""Targets of a panel: the positions at which every checkpoint is evaluated (docs/methods/panel.md#targets)."""

from dataclasses import dataclass

import numpy as np

from rare_neurons.numerics.panel.contexts import Contexts

LEAST, MOST_FOUND = 16, 8000
"""Targets of a stratum: the least that a configuration may ask for, and its default."""


@dataclass(frozen=True)
class Most:
    """Targets of one stratum that one token type, or one document, may give at most."""

    per_type: int
    per_document: int


@dataclass(frozen=True)
class Targets:
    """Evaluated positions, sorted by stratum, then target type, then context.

    Attributes
    ----------
    context, position : ndarray of int64, shape (target,)
        The context, and the position whose logits predict the target.
    input_id, target_id : ndarray of int64, shape (target,)
        The token at that position and the next one.
    document : ndarray of int64, shape (target,)
        The document that the target comes from.
    stratum : ndarray of int64, shape (target,)
    """

    context: np.ndarray
    position: np.ndarray
    input_id: np.ndarray
    target_id: np.ndarray
    document: np.ndarray
    stratum: np.ndarray


def draw_targets(
    contexts: Contexts,
    strata: np.ndarray,
    names: tuple[str, ...],
    *,
    targets_per_stratum: int | None,
    most: Most,
    min_position: int,
    token_role: str,
    seed: int,
) -> Targets:
    """Draw the target positions of every stratum.

    A position is eligible from `min_position` to the last but one of its context. Within a stratum all eligible
    positions get a random priority; the first of each token type remain, of those the first of each document, and of
    those the first `targets_per_stratum`.

    Parameters
    ----------
    contexts : Contexts
    strata : ndarray of int64, shape (vocab,)
        Stratum of each token type, -1 for none.
    names : tuple of str
        Names of the strata.
    targets_per_stratum : int or None
        None for as many as the stratum with the fewest has, `MOST_FOUND` at most.
    min_position, seed : int
    most : Most
    token_role : {"target", "input"}
        Which token's type decides the stratum: the predicted one, or (seed convention) the one read.

    Raises
    ------
    ValueError
        If a stratum has fewer eligible targets than asked; the message says how many each has.
    """
    context, position = _eligible(contexts, min_position)
    role = contexts.token_ids[context, position + (token_role == "target")]
    document = contexts.document[context, position + 1]
    stratum = strata[role]
    priority = np.random.default_rng(seed).permutation(context.size)
    chosen, available = [], {}
    for index, name in enumerate(names):
        rows = np.flatnonzero(stratum == index)
        rows = rows[np.argsort(priority[rows], kind="stable")]
        rows = rows[_occurrence(role[rows]) < most.per_type]
        rows = rows[_occurrence(document[rows]) < most.per_document]
        available[name] = rows.size
        chosen.append(rows)
    fewest = min(available.values())
    wanted = min(max(fewest, LEAST), MOST_FOUND) if targets_per_stratum is None else targets_per_stratum
    if fewest < wanted:
        raise ValueError(
            f"the corpus has {available} eligible targets per stratum (at most {most.per_type} of one token type and "
            f"{most.per_document} of one document, from position {min_position} on), but the panel asks for "
            f"{wanted} of each; lower targets_per_stratum, raise max_targets_per_type or "
            "max_targets_per_document, or use a larger corpus"
        )
    rows = np.concatenate([rows[:wanted] for rows in chosen])
    return _sorted_targets(contexts, context[rows], position[rows], stratum[rows])


def _eligible(contexts: Contexts, min_position: int) -> tuple[np.ndarray, np.ndarray]:
    """Context and position of every place that has a next token and enough before it."""
    n_contexts, length = contexts.token_ids.shape
    context, position = np.indices((n_contexts, length - 1)).reshape(2, -1)
    eligible = position >= min_position
    return context[eligible], position[eligible]


def _sorted_targets(contexts: Contexts, context: np.ndarray, position: np.ndarray, stratum: np.ndarray) -> Targets:
    ids = contexts.token_ids
    order = np.lexsort((position, context, ids[context, position + 1], stratum))
    context, position = context[order], position[order]
    return Targets(
        context=context,
        position=position,
        input_id=ids[context, position],
        target_id=ids[context, position + 1],
        document=contexts.document[context, position + 1],
        stratum=stratum[order],
    )


def _occurrence(values: np.ndarray) -> np.ndarray:
    """Return for each element how many equal ones stand before it."""
    order = np.argsort(values, kind="stable")
    start = np.searchsorted(values[order], values[order], side="left")
    result = np.empty(values.size, dtype=np.int64)
    result[order] = np.arange(values.size) - start
    return result
