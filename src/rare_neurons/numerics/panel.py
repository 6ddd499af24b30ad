"""The panel: contexts and target positions at which every checkpoint is evaluated (METHODS §1)."""

from dataclasses import dataclass

import numpy as np

N_FOLDS = 64
HALF_A, HALF_B = 0, 1


@dataclass(frozen=True)
class Contexts:
    """Windows of text, each in one fold and one half.

    Attributes
    ----------
    token_ids : ndarray of int64, shape (context, pos)
    fold : ndarray of int64, shape (context,)
        0..63; folds 0..31 are half A, 32..63 half B.
    """

    token_ids: np.ndarray
    fold: np.ndarray

    @property
    def half(self) -> np.ndarray:
        """0 (A) or 1 (B) for each context."""
        return half_of_fold(self.fold)


@dataclass(frozen=True)
class Targets:
    """Evaluated positions, sorted by stratum, then target type, then context.

    Attributes
    ----------
    context, position : ndarray of int64, shape (target,)
        The context, and the position whose logits predict the target.
    input_id, target_id : ndarray of int64, shape (target,)
        The token at that position and the next one.
    stratum : ndarray of int64, shape (target,)
    """

    context: np.ndarray
    position: np.ndarray
    input_id: np.ndarray
    target_id: np.ndarray
    stratum: np.ndarray


def half_of_fold(fold: np.ndarray) -> np.ndarray:
    """Return 0 (half A) for folds 0..31 and 1 (half B) for 32..63."""
    return np.where(np.asarray(fold) < N_FOLDS // 2, HALF_A, HALF_B)


def cut_contexts(
    documents: list[np.ndarray], *, end_of_text: int, context_length: int, max_contexts: int | None, seed: int
) -> Contexts:
    """Cut documents into contexts, with no document in both halves.

    Documents are shuffled, dealt to the half that has fewer tokens so far (largest first, so that both halves are
    alike in size), joined with the end-of-text id within their half and cut into windows. Each half's windows, in the
    order of the text, form 32 folds of neighbours: text close together stays together when folds are resampled.

    Parameters
    ----------
    documents : list of int arrays
    end_of_text : int
        Token id put between documents.
    context_length : int
        Tokens in a context.
    max_contexts : int or None
        At most this many, half from each half; all when None.
    seed : int

    Raises
    ------
    ValueError
        If there is not at least one context for every fold.
    """
    rng = np.random.default_rng(seed)
    shuffled = [documents[i] for i in rng.permutation(len(documents))]
    windows, folds = [], []
    for half, members in enumerate(_deal(shuffled)):
        cut = _windows(members, end_of_text, context_length)
        if max_contexts is not None and len(cut) > max_contexts // 2:
            cut = cut[np.sort(rng.choice(len(cut), max_contexts // 2, replace=False))]
        per_half = N_FOLDS // 2
        if len(cut) < per_half:
            raise ValueError(
                f"half {'AB'[half]} of the corpus has {len(cut)} contexts of {context_length} tokens, but its folds "
                f"need {per_half}; use a larger corpus or a shorter context_length"
            )
        windows.append(cut)
        folds.append(half * per_half + np.arange(len(cut)) * per_half // len(cut))
    return Contexts(np.concatenate(windows), np.concatenate(folds))


def _deal(documents: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    sizes = [len(d) for d in documents]
    totals, members = [0, 0], ([], [])
    for index in sorted(range(len(documents)), key=lambda i: -sizes[i]):
        half = int(totals[1] < totals[0])
        totals[half] += sizes[index]
        members[half].append(index)
    return tuple([documents[i] for i in sorted(m)] for m in members)


def _windows(documents: list[np.ndarray], end_of_text: int, length: int) -> np.ndarray:
    parts = [np.append(d, end_of_text) for d in documents]
    stream = np.concatenate(parts) if parts else np.empty(0, np.int64)
    n = len(stream) // length
    return stream[: n * length].reshape(n, length).astype(np.int64)


def draw_targets(
    contexts: Contexts,
    strata: np.ndarray,
    names: tuple[str, ...],
    *,
    targets_per_stratum: int,
    max_per_type: int,
    min_position: int,
    token_role: str,
    seed: int,
) -> Targets:
    """Draw the target positions of every stratum.

    A position is eligible from `min_position` to the last but one of its context. Within a stratum all eligible
    positions get a random priority; the first `max_per_type` of each token type remain, and of those the first
    `targets_per_stratum`.

    Parameters
    ----------
    contexts : Contexts
    strata : ndarray of int64, shape (vocab,)
        Stratum of each token type, -1 for none.
    names : tuple of str
        Names of the strata.
    targets_per_stratum, max_per_type, min_position, seed : int
    token_role : {"target", "input"}
        Which token's type decides the stratum: the predicted one, or (seed convention) the one read.

    Raises
    ------
    ValueError
        If a stratum has fewer eligible targets than asked; the message says how many each has.
    """
    ids = contexts.token_ids
    context, position = np.indices((ids.shape[0], ids.shape[1] - 1)).reshape(2, -1)
    eligible = position >= min_position
    context, position = context[eligible], position[eligible]
    role = ids[context, position + 1] if token_role == "target" else ids[context, position]
    stratum = strata[role]
    rng = np.random.default_rng(seed)
    priority = rng.permutation(context.size)
    chosen, available = [], {}
    for index, name in enumerate(names):
        rows = np.flatnonzero(stratum == index)
        rows = rows[np.argsort(priority[rows], kind="stable")]
        rows = rows[_occurrence(role[rows]) < max_per_type]
        available[name] = rows.size
        chosen.append(rows[:targets_per_stratum])
    if min(available.values()) < targets_per_stratum:
        raise ValueError(
            f"the corpus has {available} eligible targets per stratum (at most {max_per_type} of one token type, from "
            f"position {min_position} on), but the panel asks for {targets_per_stratum} of each; "
            "lower targets_per_stratum, raise max_targets_per_type or use a larger corpus"
        )
    rows = np.concatenate(chosen)
    target_id = ids[context[rows], position[rows] + 1]
    rows = rows[np.lexsort((position[rows], context[rows], target_id, stratum[rows]))]
    return Targets(
        context=context[rows],
        position=position[rows],
        input_id=ids[context[rows], position[rows]],
        target_id=ids[context[rows], position[rows] + 1],
        stratum=stratum[rows],
    )


def _occurrence(values: np.ndarray) -> np.ndarray:
    """Return for each element how many equal ones stand before it."""
    order = np.argsort(values, kind="stable")
    start = np.searchsorted(values[order], values[order], side="left")
    result = np.empty(values.size, dtype=np.int64)
    result[order] = np.arange(values.size) - start
    return result
