"""Contexts of a panel: windows of text, cut so that no document is in both halves."""

from dataclasses import dataclass

import numpy as np

from rare_neurons.numerics.panel.folds import N_FOLDS, half_of_fold


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
