"""Token ids to a panel: the strata of the vocabulary, the targets, and the grid of documents by token types."""

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rare_neurons.api.options import DRAW, STRATA, completed
from rare_neurons.errors import RequestError
from rare_neurons.models.panel_arrays import PanelArrays
from rare_neurons.numerics.panel.contexts import Contexts
from rare_neurons.numerics.panel.grid import lay_grid, measure_strata
from rare_neurons.numerics.panel.strata import NO_STRATUM, assign_strata
from rare_neurons.numerics.panel.targets import Most, Targets, draw_targets
from rare_neurons.tables import from_rows

Rules = Mapping[str, object]
_SHARES_OF = 10**12
"""Tokens of the text that probabilities are taken as counts of: the Pile has 3e11."""
_SMOOTHING = 1.0


@dataclass(frozen=True)
class Panel:
    """Contexts and targets at which models are measured, the same for every model with this tokenizer.

    Attributes
    ----------
    arrays : PanelArrays
    rules : mapping
        What was asked of the strata and the draw, with the defaults.
    strata : pyarrow.Table
        How large each stratum is; columns of ``panel/{panel}/strata.parquet``.
    """

    arrays: PanelArrays
    rules: Rules
    strata: pa.Table

    @cached_property
    def digest(self) -> str:
        """Hash of contexts, targets, grid and strata."""
        found = hashlib.sha256()
        for field in fields(self.arrays):
            value = getattr(self.arrays, field.name)
            found.update(field.name.encode())
            found.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
        return found.hexdigest()

    def to_pandas(self) -> pd.DataFrame:
        """Return one row per stratum: types, targets, documents, and effective numbers of both."""
        return self.strata.to_pandas()


def make_panel(
    token_ids: ArrayLike,
    *,
    strata: Rules | None = None,
    counts: ArrayLike | None = None,
    documents: ArrayLike | None = None,
    **draw: object,
) -> Panel:
    """Draw a panel from contexts of token ids.

    Parameters
    ----------
    token_ids : array_like of int, shape (context, pos)
        An array, a tensor or lists, all contexts of one length.
    strata : mapping, optional
        Name of each stratum and its rule, ``{"mass": [0.9, 1.0]}``, ``{"types": [0.5, 1.0]}`` or
        ``{"elbow": "beyond"}`` (docs/methods/panel.md), or a list of token ids. Default: common, mid and rare by half
        and nine tenths of the mass.
    counts : array_like, shape (vocab,), optional
        How often each token id occurs in the training text; floats are probabilities. Without them the given contexts
        are counted, which are rarely enough text to say what is rare.
    documents : array_like, shape (context,) or (context, pos), optional
        Label of the document that each context, or each token, is from. Contexts that share a document, by whatever
        chain, are taken as one. Default: every context is a document of its own, and intervals are too narrow where
        that is not so.
    **draw
        ``min_position`` (16), ``targets_per_stratum`` (None: as many of each as the stratum with the fewest has, 8,000
        at most), ``max_targets_per_type`` (400),
        ``max_targets_per_document`` (60), ``token_role`` ("target"), ``seed`` (0).

    Returns
    -------
    Panel

    Raises
    ------
    RequestError
        A `ValueError`: if shapes or ids do not fit, strata are empty or overlap, or a stratum's targets come from fewer
        than twelve effective documents or token types, which the grid needs.

    Warns
    -----
    UserWarning
        If they come from fewer than thirty: intervals are a little too narrow then.
    """
    settings = completed("make_panel", DRAW, draw)
    ids = _context_ids(token_ids)
    rules = dict(STRATA if strata is None else strata)
    occurrences, log_unigram = _unigram(ids, counts)
    contexts = Contexts(ids, _labels(documents, ids.shape))
    try:
        of_type = _strata(rules, occurrences)
        targets = _drawn(contexts, of_type, tuple(rules), settings)
        sizes = measure_strata(of_type, occurrences, targets, tuple(rules))
        grid = lay_grid(contexts, targets, n_strata=len(rules))
    except ValueError as error:
        raise RequestError(f"panel of {ids.shape[0]} contexts of {ids.shape[1]} tokens: {error}") from error
    for size in sizes:
        if size.status != "ok":
            warnings.warn(f"stratum {size.stratum!r}: {size.reason}", stacklevel=2)
    of_target = {name: getattr(targets, name) for name in ("context", "position", "target_id", "document", "stratum")}
    arrays = PanelArrays(
        token_ids=ids,
        fold=grid.fold,
        **of_target,
        type_bin=grid.type_bin,
        strata=tuple(rules),
        vocab_stratum=of_type,
        log_unigram=log_unigram,
        min_position=int(settings["min_position"]),
    )
    return Panel(arrays, {**settings, "strata": _plain(rules)}, from_rows("panel/strata", sizes))


def _array(values: ArrayLike) -> np.ndarray:
    """Take an array; a tensor from wherever it is."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def _context_ids(token_ids: ArrayLike) -> np.ndarray:
    try:
        ids = _array(token_ids)
    except ValueError as error:
        raise RequestError("token_ids: rows of different lengths; cut or pack contexts to one length") from error
    if ids.ndim != 2 or ids.dtype.kind not in "iu" or ids.size == 0:
        raise RequestError(f"token_ids: shape {ids.shape} of {ids.dtype}, but whole numbers [context, pos] are needed")
    if ids.min() < 0:
        raise RequestError(f"token_ids: {ids.min()} is below 0; contexts are whole, without padding")
    return ids.astype(np.int64)


def _unigram(ids: np.ndarray, counts: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    """Return counts of the vocabulary and the logarithm of their smoothed shares."""
    given = np.bincount(ids.ravel()) if counts is None else _array(counts)
    if given.ndim != 1 or given.dtype.kind not in "iuf" or not np.isfinite(given).all() or given.min() < 0:
        raise RequestError(
            f"counts: shape {given.shape} of {given.dtype}, but one count or probability per id is needed"
        )
    if ids.max() >= len(given):
        raise RequestError(f"counts: {len(given)} ids, but token_ids hold id {ids.max()}; give one for each id")
    total = given.sum()
    if total <= 0:
        raise RequestError("counts: all are 0; give counts of the training text, or its probabilities")
    if given.dtype.kind == "f":
        share = given / total
        with np.errstate(divide="ignore"):
            return np.where(given > 0, np.maximum(1, np.rint(share * _SHARES_OF)), 0).astype(np.int64), np.log(share)
    return given.astype(np.int64), np.log((given + _SMOOTHING) / (total + _SMOOTHING * len(given)))


def _labels(documents: ArrayLike | None, shape: tuple[int, int]) -> np.ndarray:
    """Document of each token `[context, pos]`, numbered from 0; documents that share a context are one."""
    if documents is None:
        return np.repeat(np.arange(shape[0])[:, None], shape[1], axis=1)
    given = _array(documents)
    if given.shape not in (shape, shape[:1]):
        raise RequestError(f"documents: shape {given.shape}, but {shape[:1]} or {shape} is needed, as token_ids are")
    number = np.unique(given, return_inverse=True)[1].reshape(given.shape)
    number = np.broadcast_to(number.reshape(shape[0], -1), shape)
    pairs = np.repeat(np.arange(shape[0]), shape[1]), number.ravel() + shape[0]
    n = shape[0] + int(number.max()) + 1
    linked = connected_components(coo_array((np.ones(number.size), pairs), shape=(n, n)), directed=False)[1]
    of_context = np.unique(linked[: shape[0]], return_inverse=True)[1]
    return np.repeat(of_context[:, None], shape[1], axis=1)


def _strata(rules: Rules, counts: np.ndarray) -> np.ndarray:
    """Stratum of each id: by rule, or by the ids that are listed."""
    listed = {name: rule for name, rule in rules.items() if not isinstance(rule, Mapping)}
    if not listed:
        return assign_strata(counts, rules)
    if len(listed) < len(rules):
        raise ValueError(f"strata {', '.join(listed)} list ids and the others have rules; give one kind for all")
    found = np.full(len(counts), NO_STRATUM)
    names = list(rules)
    for index, name in enumerate(names):
        ids = np.unique(_array(rules[name]))
        if ids.size == 0 or ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() >= len(counts):
            raise ValueError(f"stratum {name!r}: token ids from 0 to {len(counts) - 1} are needed, at least one")
        taken = found[ids][found[ids] != NO_STRATUM]
        if taken.size:
            raise ValueError(f"strata {names[taken[0]]!r} and {name!r} share {taken.size} types; make them disjoint")
        found[ids] = index
    return found


def _drawn(contexts: Contexts, of_type: np.ndarray, names: tuple[str, ...], settings: Mapping[str, object]) -> Targets:
    most = Most(int(settings["max_targets_per_type"]), int(settings["max_targets_per_document"]))
    kept = {key: settings[key] for key in ("targets_per_stratum", "min_position", "token_role", "seed")}
    return draw_targets(contexts, of_type, names, most=most, **kept)


def _plain(rules: Rules) -> dict[str, object]:
    """Rules as they may stand in a file's metadata."""
    return {n: dict(rule) if isinstance(rule, Mapping) else _array(rule).tolist() for n, rule in rules.items()}
