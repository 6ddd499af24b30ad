"""Stage `corpus`: token ids of every document, and unigram counts of the training distribution."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tokenizers import Tokenizer

from rare_neurons.catalogue import VERSIONS
from rare_neurons.errors import RequestError
from rare_neurons.sums import check_sum
from rare_neurons.tables import file_sha256, from_columns, provenance, read_metadata, read_table, write_rows


@dataclass(frozen=True)
class CorpusSettings:
    """How a corpus is tokenised and counted.

    Attributes
    ----------
    end_of_text : str
        Added after each document when counting, as it is when documents are joined.
    smoothing : float
        Added to every count of a real id before probabilities are formed, so that no id has probability zero.
    max_tokens : int or None
        Documents after this many tokens are left out.
    """

    end_of_text: str
    smoothing: float
    max_tokens: int | None


def write_corpus(
    *,
    tokens: str,
    unigram: str,
    text: str,
    tokenizer: str,
    counts: str | None,
    settings: CorpusSettings,
) -> None:
    """Tokenise a corpus and count its unigrams.

    Parameters
    ----------
    tokens, unigram : str
        Outputs: one row per document, one row per token id.
    text, tokenizer : str
        Inputs.
    counts : str or None
        A user's own training counts (``.npy`` vector, or Parquet with `token_id` and `count`) used instead of counting.
    settings : CorpusSettings

    Raises
    ------
    RequestError
        If the split holds out none or all of the documents, or the user's counts are none of this tokenizer's.
    """
    check_sum(tokenizer)
    codec = Tokenizer.from_file(tokenizer)
    end = codec.token_to_id(settings.end_of_text)
    vocab = codec.get_vocab_size(with_added_tokens=True)
    rows, encoded = _encoded(read_table(text, ["origin", "document", "heldout", "text"]), codec, settings.max_tokens)
    source = read_metadata(text)
    heldout = np.asarray(rows["heldout"].to_pylist())
    _check_split(heldout, source["heldout_every"])
    inputs = {"corpus": str(source["corpus_sha256"]), "tokenizer": file_sha256(tokenizer)}
    if counts is None:
        counted = _count([e for e, held in zip(encoded, heldout, strict=True) if not held], end, vocab)
        origin = "corpus, documents not held out"
    else:
        counted, origin = load_counts(Path(counts), vocab), "user's file"
        inputs["counts"] = file_sha256(counts)
    about = {"counts_from": origin, "end_of_text_id": end, "vocab_size": vocab}
    metadata = provenance("corpus", VERSIONS["corpus"], asdict(settings), inputs, **about)
    names = {name: rows[name] for name in ("origin", "document")}
    columns = {"index": range(len(encoded)), **names, "heldout": heldout, "token_ids": encoded}
    write_rows("corpus/tokens", from_columns("corpus/tokens", {}, columns), tokens, metadata)
    counted_types = from_columns("corpus/unigram", {}, _unigram(counted, settings.smoothing, codec))
    write_rows("corpus/unigram", counted_types, unigram, metadata)


def _encoded(rows: pa.Table, codec: Tokenizer, max_tokens: int | None) -> tuple[pa.Table, list[np.ndarray]]:
    """Token ids of the documents, as many as the limit allows but at least one."""
    # What a tokenizer.json may say of truncation, padding and begin-of-text ids belongs to other uses of it.
    codec.no_truncation()
    codec.no_padding()
    # The same ids without where in the text each is, which nobody asks for and which takes a third of the time.
    batch = codec.encode_batch_fast(rows["text"].to_pylist(), add_special_tokens=False)
    encoded = [np.asarray(e.ids, dtype=np.int32) for e in batch]
    if max_tokens is None:
        return rows, encoded
    kept = max(1, int(np.searchsorted(np.cumsum([len(e) + 1 for e in encoded]), max_tokens, side="right")))
    return rows.slice(0, kept), encoded[:kept]


def _check_split(heldout: np.ndarray, every: int | None) -> None:
    if every is not None and heldout.all() == heldout.any():
        raise RequestError(
            f"heldout_every = {every} holds out {int(heldout.sum())} of {len(heldout)} documents; counts and panels "
            "each need some. Leave heldout_every out to use all documents for both, lower it, or use more files"
        )


def _count(documents: list[np.ndarray], end: int, vocab: int) -> np.ndarray:
    counts = np.bincount(np.concatenate(documents), minlength=vocab).astype(np.int64)
    counts[end] += len(documents)
    return counts


def load_counts(path: Path, vocab: int | None = None) -> np.ndarray:
    """Load a user's unigram counts: a ``.npy`` vector, or Parquet with `token_id` and `count`.

    Parameters
    ----------
    path : Path
    vocab : int, optional
        Ids of the tokenizer; padding beyond them is cut, if it is empty.

    Raises
    ------
    RequestError
        If there is no such file, or its counts are none of this tokenizer's.
    """
    if not path.is_file():
        raise RequestError(f"no unigram counts at {path}; correct `unigram_counts` or remove it to count the corpus")
    if path.suffix == ".npy":
        given = np.load(path, allow_pickle=False)
    else:
        table = pq.read_table(path, columns=["token_id", "count"])  # not ours: never removed as damaged
        ids = table["token_id"].to_numpy()
        given = np.zeros(int(ids.max()) + 1, dtype=np.int64)
        given[ids] = table["count"].to_numpy()
    vocab = given.size if vocab is None else vocab
    if given.ndim != 1 or given.size < vocab or given.min() < 0:
        raise RequestError(
            f"{path}: counts of shape {given.shape}, smallest {given.min()}; a vector of at least {vocab} counts "
            "(one for each id of the tokenizer), none negative, is needed"
        )
    if given[vocab:].any():
        raise RequestError(
            f"{path}: ids beyond the tokenizer's {vocab} have counts; these are counts of another tokenizer"
        )
    return given[:vocab].astype(np.int64)


def _unigram(counts: np.ndarray, smoothing: float, codec: Tokenizer) -> dict[str, Sequence[object]]:
    probability = (counts + smoothing) / (counts.sum() + smoothing * counts.size)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(counts.size, dtype=np.int64)
    rank[order] = np.arange(1, counts.size + 1)
    return {
        "token_id": np.arange(counts.size),
        "token": [codec.id_to_token(i) for i in range(counts.size)],
        "count": counts,
        "probability": probability,
        "rank": rank,
        "seen": counts > 0,
    }
