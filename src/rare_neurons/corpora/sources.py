"""Documents of a corpus, whatever it comes from: the standard library, local files, a Hub data set."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rare_neurons.corpora.stdlib import stdlib_documents
from rare_neurons.errors import RequestError

Document = tuple[str, str, str]
"""(origin, name, text): a held-out split is made on the origin."""


def iter_documents(source: Mapping[str, object], *, folder: Path) -> Iterator[Document]:
    """Yield the documents of a corpus in a fixed order.

    Parameters
    ----------
    source : mapping
        A corpus of the configuration: ``source`` (stdlib, text, jsonl, parquet, hub) and that kind's own keys.
    folder : Path
        What relative paths are relative to.

    Raises
    ------
    RequestError
        If a file, field or column that the configuration names does not exist, or the source yields no text at all.
    """
    documents = _KINDS[str(source["source"])](source, folder)
    limit = source.get("max_documents")
    if limit is not None:
        documents = itertools.islice(documents, int(limit))
    first = next(documents, None)
    if first is None:
        raise RequestError(f"the corpus {dict(source)} yields no document; check its paths and its text field")
    yield first
    yield from documents


def _files(source: Mapping[str, object], folder: Path) -> list[tuple[str, Path]]:
    found = []
    for pattern in source["paths"]:
        matches = sorted(p for p in folder.glob(pattern) if p.is_file()) if not Path(pattern).is_absolute() else []
        if Path(pattern).is_absolute():
            anchor = Path(Path(pattern).anchor)
            matches = sorted(p for p in anchor.glob(str(Path(pattern).relative_to(anchor))) if p.is_file())
        if not matches:
            raise RequestError(f"no file matches {pattern!r} (corpus paths are relative to {folder}); correct `paths`")
        found += matches
    # The name that a document is hashed by must not hold the place where the user keeps it.
    return [(path.name, path) for path in dict.fromkeys(found)]


def _text(source: Mapping[str, object], folder: Path) -> Iterator[Document]:
    size = source.get("piece_characters")
    for name, path in _files(source, folder):
        text = path.read_text(encoding="utf-8")
        if size is None:
            yield name, name, text
        else:
            for number, piece in enumerate(_pieces(text, int(size)), start=1):
                yield f"{name}:{number}", f"{name}:{number}", piece


def _pieces(text: str, size: int) -> Iterator[str]:
    """Cut a text into pieces of at least `size` characters, at blank lines, or at lines where none comes soon."""
    start = 0
    while len(text) - start >= 2 * size:
        least, far = start + size, min(start + 2 * size, len(text) - size)
        found = ((text.find(mark, least, far), len(mark)) for mark in ("\n\n", "\n"))
        end = next((at + length for at, length in found if at >= 0), far)
        yield text[start:end]
        start = end
    yield text[start:]


def _jsonl(source: Mapping[str, object], folder: Path) -> Iterator[Document]:
    field = str(source["text_field"])
    for name, path in _files(source, folder):
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                record = json.loads(line)
                if field not in record:
                    raise RequestError(
                        f"{path}, line {number}: no field {field!r}; it has {sorted(record)}. Correct `text_field`"
                    )
                yield f"{name}:{number}", f"{name}:{number}", record[field]


def _parquet(source: Mapping[str, object], folder: Path) -> Iterator[Document]:
    import pyarrow.dataset as ds  # here: it imports pandas, longer than most corpora take

    column = str(source["text_field"])
    for name, path in _files(source, folder):
        data = ds.dataset(path, format="parquet")
        if column not in data.schema.names:
            raise RequestError(f"{path}: no column {column!r}; it has {data.schema.names}. Correct `text_field`")
        rows = itertools.count(1)
        for batch in data.to_batches(columns=[column]):
            for text in batch.column(0).to_pylist():
                document = f"{name}:{next(rows)}"
                yield document, document, text


def _hub(source: Mapping[str, object], folder: Path) -> Iterator[Document]:
    from datasets import load_dataset  # heavy, and only this kind of source needs it

    column = str(source["text_field"])
    stream = load_dataset(
        str(source["dataset"]),
        name=source.get("subset"),
        split=str(source["split"]),
        revision=source.get("revision"),
        streaming=True,
    )
    for number, row in enumerate(stream):
        if column not in row:
            raise RequestError(f"{source['dataset']}: no column {column!r}; it has {sorted(row)}. Correct `text_field`")
        yield str(number), str(number), row[column]


def _stdlib(source: Mapping[str, object], folder: Path) -> Iterator[Document]:
    return stdlib_documents(packages=[str(name) for name in source.get("packages", ())])


_KINDS: dict[str, Callable[[Mapping[str, object], Path], Iterator[Document]]] = {
    "stdlib": _stdlib,
    "text": _text,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "hub": _hub,
}
