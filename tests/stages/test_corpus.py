import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer

from rare_neurons.errors import RequestError
from rare_neurons.stages.corpus import CorpusSettings, write_corpus
from rare_neurons.stages.text import write_text
from rare_neurons.stages.tokenizer import write_tokenizer
from rare_neurons.tables import read_metadata, read_table

END = "<|endoftext|>"


@pytest.fixture
def made(tmp_path):
    for name in ("a", "b", "c", "d"):
        (tmp_path / f"{name}.txt").write_text(f"the {name} cat and the {name} dog. " * 30)
    source = {"source": "text", "paths": ["*.txt"]}
    text, tokenizer = tmp_path / "text.parquet", tmp_path / "tokenizer.json"
    write_text(str(text), corpus="x", source=source, heldout={"heldout_every": 2}, folder=str(tmp_path))
    settings = {"source": "train", "vocab_size": 270}
    write_tokenizer(str(tokenizer), source=settings, end_of_text=END, folder=str(tmp_path), text=str(text))
    return tmp_path


def corpus(folder, **changes):
    paths = {name: str(folder / f"{name}.parquet") for name in ("tokens", "unigram", "text")}
    counts = changes.pop("counts", None)
    settings = CorpusSettings(**{"end_of_text": END, "smoothing": 1, "max_tokens": None} | changes)
    write_corpus(**paths, tokenizer=str(folder / "tokenizer.json"), counts=counts, settings=settings)
    return read_table(folder / "tokens.parquet"), read_table(folder / "unigram.parquet")


def test_counts_are_those_of_the_documents_that_are_not_held_out(made):
    tokens, unigram = corpus(made)
    codec = Tokenizer.from_file(str(made / "tokenizer.json"))
    train = [row for row in tokens.to_pylist() if not row["heldout"]]
    assert 0 < len(train) < 4
    expected = np.zeros(codec.get_vocab_size(), dtype=int)
    for row in train:
        for index in row["token_ids"]:
            expected[index] += 1
        expected[codec.token_to_id(END)] += 1
    assert unigram["count"].to_pylist() == expected.tolist()
    assert sum(unigram["probability"].to_pylist()) == pytest.approx(1, abs=1e-12)
    assert min(unigram["probability"].to_pylist()) > 0
    by_rank = sorted(zip(unigram["rank"].to_pylist(), unigram["count"].to_pylist(), strict=True))
    assert [c for _, c in by_rank] == sorted(expected, reverse=True)


def test_a_users_own_counts_are_used_and_recorded(made):
    given = np.arange(300)
    given[270:] = 0
    np.save(made / "counts.npy", given)
    _, unigram = corpus(made, counts=str(made / "counts.npy"))
    assert unigram["count"].to_pylist() == list(range(270))
    assert read_metadata(made / "unigram.parquet")["counts_from"] == "user's file"
    pq.write_table(pa.table({"token_id": [269, 3], "count": [7, 5]}), made / "counts.parquet")
    _, unigram = corpus(made, counts=str(made / "counts.parquet"))
    assert unigram["count"][3].as_py() == 5
    assert sum(unigram["count"].to_pylist()) == 12


def test_counts_of_another_tokenizer_are_refused(made):
    np.save(made / "short.npy", np.ones(100, int))
    with pytest.raises(RequestError, match=r"counts of shape \(100,\), smallest 1; a vector of at least 270 counts"):
        corpus(made, counts=str(made / "short.npy"))
    np.save(made / "long.npy", np.ones(300, int))
    with pytest.raises(RequestError, match="ids beyond the tokenizer's 270 have counts"):
        corpus(made, counts=str(made / "long.npy"))


def test_the_corpus_can_be_capped_in_tokens(made):
    tokens, _ = corpus(made)
    total = sum(len(ids) + 1 for ids in tokens["token_ids"])
    capped, _ = corpus(made, max_tokens=total - 1)
    assert capped.num_rows == 3


def test_a_split_without_held_out_documents_is_refused(made):
    tokens, _ = corpus(made)
    first = len(tokens["token_ids"][0]) + 1
    with pytest.raises(RequestError, match=r"heldout_every = 2 holds out [01] of 1 documents"):
        corpus(made, max_tokens=first)
