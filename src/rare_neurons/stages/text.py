"""Stage `text`: the documents of a corpus, and which of them are held out."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from rare_neurons.catalogue import VERSIONS
from rare_neurons.corpora.sources import iter_documents
from rare_neurons.stages.reporting import bar
from rare_neurons.tables import digest_of, from_columns, provenance, write_rows


def write_text(
    output: str, *, corpus: str, source: Mapping[str, object], heldout_every: int | None, folder: str
) -> None:
    """Write one row per document.

    Parameters
    ----------
    output : str
    corpus : str
        Name, for the progress bar.
    source : mapping
        See `iter_documents`.
    heldout_every : int or None
        A file is held out where the sha256 of its name is a multiple of this; None holds nothing out.
    folder : str
        What relative paths are relative to.
    """
    rows = list(bar(iter_documents(source, folder=Path(folder)), label=f"text {corpus}"))
    origin, document, text = (list(column) for column in zip(*rows, strict=True))
    table = from_columns(
        "text",
        {},
        {
            "index": range(len(text)),
            "origin": origin,
            "document": document,
            "heldout": [heldout_every is not None and _hash(o) % heldout_every == 0 for o in origin],
            "text": text,
        },
    )
    # The corpus differs between patch versions of Python: recorded, never pinned.
    fingerprint = digest_of([[d, hashlib.sha256(t.encode()).hexdigest()] for d, t in zip(document, text, strict=True)])
    params = {"source": dict(source), "heldout_every": heldout_every}
    known = {"corpus_sha256": fingerprint, "n_documents": len(rows), "heldout_every": heldout_every}
    write_rows("text", table, output, provenance("text", VERSIONS["text"], params, {}, **known))


def _hash(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)
