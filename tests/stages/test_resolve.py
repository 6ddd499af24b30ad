import json

import pytest
from tokenizers import Tokenizer, models, trainers

from rare_neurons.checkpoints.listed import keep_listed
from rare_neurons.checkpoints.manifest import Manifest, ManifestFile, read_manifest
from rare_neurons.checkpoints.sources import Source
from rare_neurons.errors import RequestError
from rare_neurons.stages.resolve import check_tokenizer, listing_folder, source_of, write_resolved
from tests.stages.test_plan import checkpoint


def tokenizer(path, text, size=30):
    codec = Tokenizer(models.BPE())
    codec.train_from_iterator([text], trainers.BpeTrainer(vocab_size=size, show_progress=False))
    codec.save(str(path))
    return path


def test_a_source_is_a_repository_a_folder_or_what_is_trained_here():
    assert source_of({"source": "hub", "repo": "lab/m", "revision": "step{step}"}, "") == Source("hub", "lab/m")
    assert source_of({"source": "folder", "path": "run/step{step}"}, "") == Source("folder", "run/step{step}")
    trained = source_of({"source": "pretrain"}, "results/pretrain/m")
    assert trained == Source("folder", "results/pretrain/m/step{step}")


def resolved(folder, step, source):
    cache = {"folder": str(folder / "cache"), "disk_gb": 1}
    where = {"tokenizer": str(folder / "tokenizer.json"), "cache": cache}
    write_resolved(str(folder / "manifest.json"), model="m", step=step, source=source, **where)
    return read_manifest(folder / "manifest.json")


def test_a_local_checkpoint_becomes_a_manifest_with_status(tmp_path):
    checkpoint(tmp_path, 4, 1.0)
    (tmp_path / "run/step8").mkdir()
    tokenizer(tmp_path / "tokenizer.json", "abcd")
    source = Source("folder", str(tmp_path / "run/step{step}"))
    good = resolved(tmp_path, 4, source)
    assert (good.status, good.step) == ("ok", 4)
    assert [f.name for f in good.files] == ["config.json", "model.safetensors"]
    bad = resolved(tmp_path, 8, source)
    assert bad.status == "missing"
    assert bad.reason


def test_what_the_plan_listed_is_taken_without_a_network(tmp_path):
    source = Source("hub", "lab/m", endpoint="http://127.0.0.1:9")  # nothing listens there
    listed = Manifest("m", 4, "hub", "lab/m", "step4", "c" * 40, (ManifestFile("model.safetensors", 5, "a" * 64),))
    keep_listed(listing_folder({"folder": str(tmp_path / "cache"), "disk_gb": 1}), source, [listed])
    assert resolved(tmp_path, 4, source) == listed


def test_a_checkpoint_with_another_tokenizer_is_refused(tmp_path):
    ours = tokenizer(tmp_path / "tokenizer.json", "the cat and the dog")
    check_tokenizer(tmp_path / "nowhere", ours, "m, step 0")  # it carries none
    own = tmp_path / "own"
    own.mkdir()
    tokenizer(own / "tokenizer.json", "the cat and the dog")
    check_tokenizer(own, ours, "m, step 0")
    tokenizer(own / "tokenizer.json", "quite other words")
    with pytest.raises(RequestError, match=r"\d+ tokens against \d+, \d+ of them with another id \(m, step 0\)"):
        check_tokenizer(own, ours, "m, step 0")


def test_equal_tokens_with_other_merges_are_refused(tmp_path):
    ours = tokenizer(tmp_path / "tokenizer.json", "the cat and the dog")
    (tmp_path / "own").mkdir()
    record = json.loads(ours.read_text())
    record["model"]["merges"] = record["model"]["merges"][::-1]
    (tmp_path / "own/tokenizer.json").write_text(json.dumps(record))
    with pytest.raises(RequestError, match="the same tokens, but other merges"):
        check_tokenizer(tmp_path / "own", ours, "m, step 0")
