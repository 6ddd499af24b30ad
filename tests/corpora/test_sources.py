"""Documents of each kind of source, in a fixed order, under names that tell nothing of the place."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rare_neurons.corpora.sources import iter_documents
from rare_neurons.errors import RequestError


def texts(source, folder):
    return [text for _, _, text in iter_documents(source, folder=folder)]


def test_text_files_are_documents_in_the_order_of_their_names(tmp_path):
    (tmp_path / "b.txt").write_text("second", encoding="utf-8")
    (tmp_path / "a.txt").write_text("first ü", encoding="utf-8")
    assert texts({"source": "text", "paths": ["*.txt"]}, tmp_path) == ["first ü", "second"]


def test_a_long_file_is_cut_into_documents_at_blank_lines_and_nothing_is_lost(tmp_path):
    paragraphs = [f"paragraph {i}\n" + "word " * 60 + "\n\n" for i in range(20)]
    (tmp_path / "book.txt").write_text("".join(paragraphs))
    source = {"source": "text", "paths": ["*.txt"], "piece_characters": 700}
    found = list(iter_documents(source, folder=tmp_path))
    assert "".join(text for _, _, text in found) == "".join(paragraphs)
    assert all(700 <= len(text) < 1400 for _, _, text in found)
    assert all(text.startswith("paragraph") for _, _, text in found[:-1])
    assert [origin for origin, _, _ in found] == [f"book.txt:{i}" for i in range(1, len(found) + 1)]


def test_a_text_without_lines_is_cut_where_it_must_be(tmp_path):
    (tmp_path / "a.txt").write_text("x" * 1000 + "\n" + "y" * 1000)
    pieces = texts({"source": "text", "paths": ["a.txt"], "piece_characters": 300}, tmp_path)
    assert [len(piece) for piece in pieces] == [600, 401, 600, 400]


def test_json_lines_and_parquet_take_one_field(tmp_path):
    rows = [{"text": "one", "n": 1}, {"text": "two", "n": 2}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    for kind in ("jsonl", "parquet"):
        source = {"source": kind, "paths": [f"x.{kind}"], "text_field": "text"}
        assert texts(source, tmp_path) == ["one", "two"]
        assert texts({**source, "max_documents": 1}, tmp_path) == ["one"]
        with pytest.raises(RequestError, match=r"no (field|column) 'body'; it has \['(n|text)', '(text|n)'\]"):
            texts({**source, "text_field": "body"}, tmp_path)


def test_names_of_documents_do_not_hold_the_place_where_they_are_kept(tmp_path):
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "a.txt").write_text("text")
    names = [
        [document for _, document, _ in iter_documents({"source": "text", "paths": ["*.txt"]}, folder=tmp_path / place)]
        for place in ("here", "there")
    ]
    assert names[0] == names[1] == ["a.txt"]


def test_a_pattern_without_files_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"no file matches '\*.txt'"):
        texts({"source": "text", "paths": ["*.txt"]}, tmp_path)
