"""Stage `text`: the documents of a corpus, and which of them are held out."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rare_neurons.catalogue import VERSIONS
from rare_neurons.corpora.sources import iter_documents
from rare_neurons.stages.reporting import bar
from rare_neurons.tables import digest_of, from_columns, provenance, write_rows


def write_text(
    output: str, *, corpus: str, source: Mapping[str, object], heldout: Mapping[str, int], folder: str
) -> None:
    """Write one row per document.

    Parameters
    ----------
    output : str
    corpus : str
        Name, for the progress bar.
    source : mapping
        See `iter_documents`.
    heldout : mapping
        ``heldout_every``: a file is held out where the sha256 of its name is a multiple of this; nothing is without.
        ``heldout_max_bytes``: and its text is not longer than this: many short documents make a better panel than few
        long ones, and cost the training less.
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
            "heldout": _held(origin, text, heldout),
            "text": text,
        },
    )
    # The corpus differs between patch versions of Python: recorded, never pinned.
    fingerprint = digest_of([[d, hashlib.sha256(t.encode()).hexdigest()] for d, t in zip(document, text, strict=True)])
    params = {"source": dict(source), **heldout}
    known = {"corpus_sha256": fingerprint, "n_documents": len(rows), "heldout_every": heldout.get("heldout_every")}
    write_rows("text", table, output, provenance("text", VERSIONS["text"], params, {}, **known))


def _held(origin: Sequence[str], text: Sequence[str], heldout: Mapping[str, int]) -> list[bool]:
    every, limit = heldout.get("heldout_every"), heldout.get("heldout_max_bytes")
    size = Counter()
    for name, one in zip(origin, text, strict=True):
        size[name] += len(one.encode())
    return [every is not None and _hash(o) % every == 0 and (limit is None or size[o] <= limit) for o in origin]


def _hash(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)
