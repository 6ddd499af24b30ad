"""Strata that a user's unigram counts give, before any text is read or model fetched."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from rich.table import Table
from tokenizers import Tokenizer

from rare_neurons.errors import RequestError
from rare_neurons.numerics.panel.strata import assign_strata
from rare_neurons.stages.corpus import load_counts


def strata_tables(
    panels: Mapping[str, Mapping[str, object]],
    corpora: Mapping[str, Mapping[str, object]],
    tokenizers: Mapping[str, str],
) -> Iterator[Table]:
    """Yield one table for each panel whose corpus comes with training counts.

    Parameters
    ----------
    panels, corpora : mapping
        Sections of the configuration.
    tokenizers : mapping
        Paths of the tokenizers that are there already: padding beyond their ids is cut.

    Raises
    ------
    RequestError
        If the file is missing, has counts of another tokenizer, or gives empty or overlapping strata.
    """
    for name, panel in panels.items():
        path = corpora[str(panel["corpus"])].get("unigram_counts")
        if path is None:
            continue
        tokenizer = tokenizers.get(str(panel["tokenizer"]))
        vocab = None if tokenizer is None else Tokenizer.from_file(tokenizer).get_vocab_size(with_added_tokens=True)
        counts = load_counts(Path(str(path)), vocab)
        try:
            stratum = assign_strata(counts, panel["strata"])
        except ValueError as error:
            raise RequestError(f"panel {name!r}: {error}") from error
        yield _table(
            f"Strata of panel {name} by {path}: {_ids(counts, vocab)}", counts, stratum, tuple(panel["strata"])
        )


def _ids(counts: np.ndarray, vocab: int | None) -> str:
    never = f"{int((counts == 0).sum()):,} never seen" + ("" if vocab else " or padding")
    return f"{counts.size:,} ids, {int((counts > 0).sum()):,} seen, {never}; {int(counts.sum()):,} tokens"


def _table(title: str, counts: np.ndarray, stratum: np.ndarray, names: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in ("stratum", "types", "share of tokens", "most frequent, p", "rarest, p"):
        table.add_column(column, justify="left" if column == "stratum" else "right")
    total = counts.sum()
    for index, name in enumerate(names):
        member = counts[stratum == index]
        share = f"{member.sum() / total:.3%}"
        table.add_row(name, f"{member.size:,}", share, f"{member.max() / total:.4g}", f"{member.min() / total:.4g}")
    return table
