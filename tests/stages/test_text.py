import hashlib
import json

import pytest

from rare_neurons.errors import RequestError
from rare_neurons.stages.text import write_text
from rare_neurons.tables import read_metadata, read_table


def text(folder, name="text.parquet", *, heldout_every=2, **more):
    heldout = more if heldout_every is None else {"heldout_every": heldout_every, **more}
    source = {"source": "jsonl", "paths": ["*.jsonl"], "text_field": "body"}
    write_text(str(folder / name), corpus="x", source=source, heldout=heldout, folder=str(folder))
    return read_table(folder / name).to_pylist()


@pytest.fixture
def folder(tmp_path):
    rows = [{"body": f"document {k}"} for k in range(12)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_documents_are_held_out_by_the_hash_of_their_origin(folder):
    rows = text(folder)
    assert [row["text"] for row in rows] == [f"document {k}" for k in range(12)]
    hashed = [int(hashlib.sha256(f"a.jsonl:{k + 1}".encode()).hexdigest(), 16) for k in range(12)]
    assert [row["heldout"] for row in rows] == [h % 2 == 0 for h in hashed]
    assert 0 < sum(row["heldout"] for row in rows) < 12
    assert not any(row["heldout"] for row in text(folder, heldout_every=None))


def test_long_files_are_not_held_out(folder):
    short = text(folder, heldout_every=1, heldout_max_bytes=len("document 9"))
    assert [row["heldout"] for row in short] == [len(row["text"]) <= len("document 9") for row in short]
    assert 0 < sum(row["heldout"] for row in short) < 12


def test_the_digest_follows_the_text_and_not_the_place(folder, tmp_path_factory):
    text(folder)
    about = read_metadata(folder / "text.parquet")
    assert (about["n_documents"], about["heldout_every"]) == (12, 2)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "a.jsonl").write_text((folder / "a.jsonl").read_text())
    text(elsewhere)
    assert (elsewhere / "text.parquet").read_bytes() == (folder / "text.parquet").read_bytes()
    (elsewhere / "a.jsonl").write_text(json.dumps({"body": "another"}) + "\n")
    text(elsewhere)
    assert read_metadata(elsewhere / "text.parquet")["corpus_sha256"] != about["corpus_sha256"]


def test_a_pattern_without_files_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"no file matches '\*\.jsonl'"):
        text(tmp_path)
