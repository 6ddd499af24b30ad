"""The panel as arrays, checked against a model, and the vocabulary sorted by stratum."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
import torch

from rare_neurons.errors import RequestError
from rare_neurons.numerics.grid.cells import count_cells
from rare_neurons.numerics.grid.folds import N_FOLDS
from rare_neurons.numerics.grid.quadrants import opposite_quadrants

PARTS = opposite_quadrants(N_FOLDS)[0]
"""Cells of the parts A and B, bool `[part, fold, bin]`: they share neither documents nor target types."""


@dataclass(frozen=True)
class PanelArrays:
    """A frozen panel (docs/methods/panel.md).

    Attributes
    ----------
    token_ids : int64 `[context, pos]`
    fold : int `[context]`
        Document fold 0..11, the row of the grid; a document is in one fold.
    context, position, target_id, document, type_bin, stratum : int64 `[target]`
        `position` is the input's; the target token is `token_ids[context, position + 1]`. `type_bin` 0..11 is the
        column of the grid; a target type is in one bin.
    strata : tuple of str
    vocab_stratum : int `[vocab]`
        Stratum of each token id; −1 where it has none.
    log_unigram : float64 `[vocab]`
        Log probability in the training distribution; −inf where it is zero.
    min_position : int
        Natural positions are those with `min_position <= position <= pos - 2`.
    """

    token_ids: np.ndarray
    fold: np.ndarray
    context: np.ndarray
    position: np.ndarray
    target_id: np.ndarray
    document: np.ndarray
    type_bin: np.ndarray
    stratum: np.ndarray
    strata: tuple[str, ...]
    vocab_stratum: np.ndarray
    log_unigram: np.ndarray
    min_position: int

    def check(self) -> None:
        """Refuse a panel whose parts contradict each other; costs no model."""
        self._check_lengths()
        length = self.token_ids.shape[1]
        if len(self.context) == 0:
            raise RequestError("panel: no targets")
        if self.position.min() < self.min_position or self.position.max() > length - 2:
            raise RequestError(
                f"panel: target positions {self.position.min()}..{self.position.max()} leave the eligible "
                f"{self.min_position}..{length - 2}"
            )
        wrong = int((self.token_ids[self.context, self.position + 1] != self.target_id).sum())
        if wrong:
            raise RequestError(f"panel: {wrong} target ids differ from the token after their position")
        if self.token_ids.max() >= len(self.vocab_stratum):
            raise RequestError(f"panel: token id {self.token_ids.max()} beyond its {len(self.vocab_stratum)} ids")
        self._check_grid()

    def _check_lengths(self) -> None:
        lengths = {f.name: len(getattr(self, f.name)) for f in fields(self) if f.name != "min_position"}
        of_target = ("position", "target_id", "document", "type_bin", "stratum")
        for names, size in ((("fold",), len(self.token_ids)), (of_target, len(self.context))):
            for name in names:
                if lengths[name] != size:
                    raise RequestError(f"panel: {name} has {lengths[name]} entries, {size} expected")
        if lengths["vocab_stratum"] != lengths["log_unigram"]:
            raise RequestError(
                f"panel: vocab_stratum has {lengths['vocab_stratum']} ids, log_unigram {lengths['log_unigram']}"
            )

    def _check_grid(self) -> None:
        """Whole documents to rows, whole types to columns, and targets of every stratum in both parts."""
        row = self.fold[self.context]
        for name, labels in (("document folds", self.fold), ("type bins", self.type_bin)):
            if labels.min() < 0 or labels.max() >= N_FOLDS:
                raise RequestError(f"panel: {name} {labels.min()}..{labels.max()} leave the grid's 0..{N_FOLDS - 1}")
        for what, label, side in (("document", self.document, row), ("target type", self.target_id, self.type_bin)):
            pairs = np.unique(np.stack([label, side]), axis=1)
            twice = np.flatnonzero(np.diff(pairs[0]) == 0)
            if len(twice):
                k = int(twice[0])
                raise RequestError(
                    f"panel: {what} {pairs[0, k]} is in {pairs[1, k]} and {pairs[1, k + 1]} of the grid, "
                    "but a whole one belongs to one fold; lay the grid anew"
                )
        for s, name in enumerate(self.strata):
            counts = count_cells(row[self.stratum == s], self.type_bin[self.stratum == s], n_folds=N_FOLDS)
            for part, cells in zip("AB", PARTS, strict=True):
                if counts[cells].sum() == 0:
                    raise RequestError(
                        f"panel: stratum {name!r} has {int(counts.sum())} targets, but none in part {part} of the "
                        "grid; raise targets_per_stratum or use more documents"
                    )

    def cell(self) -> np.ndarray:
        """Cell of the grid of each target `[target]`, row-major: `fold * N_FOLDS + type_bin`."""
        return self.fold[self.context].astype(np.int64) * N_FOLDS + self.type_bin

    def pair(self) -> np.ndarray:
        """Label of each target's document and type together `[target]`."""
        return self.document.astype(np.int64) * len(self.vocab_stratum) + self.target_id

    def natural_weights(self) -> np.ndarray:
        """Weight of each target `[target]` that restores the strata's natural shares among eligible positions.

        The panel draws strata in equal numbers; expectations over what the model itself would emit need natural
        positions (`influence_expected`, docs/methods/influence.md).
        """
        natural = self.token_ids[:, self.min_position : -1], self.token_ids[:, self.min_position + 1 :]
        by_target = np.array_equal(self.vocab_stratum[self.target_id], self.stratum)
        input_id = self.token_ids[self.context, self.position]
        if not by_target and not np.array_equal(self.vocab_stratum[input_id], self.stratum):
            raise RequestError("panel: strata are neither those of the targets nor those of the inputs")
        labels = self.vocab_stratum[natural[1 if by_target else 0]]
        n_strata = len(self.strata)
        available = np.bincount(labels[labels >= 0], minlength=n_strata)
        drawn = np.bincount(self.stratum, minlength=n_strata)
        return (available / drawn)[self.stratum]


@dataclass(frozen=True)
class SortedVocabulary:
    """Token ids sorted by stratum, so that a stratum is a slice of columns.

    `order` `[vocab]` maps column to token id, `column` its inverse; `slices` holds one slice per stratum, then one for
    ids without a stratum (padding included) where there are any.
    """

    order: torch.Tensor
    column: torch.Tensor
    slices: tuple[slice, ...]
    class_of_column: torch.Tensor


def sort_vocabulary(vocab_stratum: np.ndarray, *, n_strata: int, n_vocab: int) -> SortedVocabulary:
    """Sort a model's `n_vocab` ids by stratum; ids beyond the panel's are padding and have none.

    Raises
    ------
    RequestError
        If the panel's tokenizer has more ids than the model's unembedding.
    """
    if len(vocab_stratum) > n_vocab:
        raise RequestError(
            f"the panel's tokenizer has {len(vocab_stratum)} ids, the model's unembedding only {n_vocab}: "
            "this panel was made for another tokenizer"
        )
    labels = np.full(n_vocab, -1)
    labels[: len(vocab_stratum)] = vocab_stratum
    labels[labels < 0] = n_strata
    order = np.argsort(labels, kind="stable")
    n_classes = max(n_strata, int(labels.max()) + 1)
    edges = np.concatenate([[0], np.cumsum(np.bincount(labels, minlength=n_classes))]).tolist()
    column = np.empty(n_vocab, dtype=np.int64)
    column[order] = np.arange(n_vocab)
    return SortedVocabulary(
        torch.from_numpy(order),
        torch.from_numpy(column),
        tuple(slice(a, b) for a, b in pairwise(edges)),
        torch.from_numpy(labels[order]),
    )
