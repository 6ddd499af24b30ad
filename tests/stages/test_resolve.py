import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, trainers

from rare_neurons.checkpoints.listed import keep_listed
from rare_neurons.checkpoints.manifest import Manifest, ManifestFile, read_manifest
from rare_neurons.checkpoints.sources import Source
from rare_neurons.errors import RequestError
from rare_neurons.stages.resolve import listing_folder, source_of, write_resolved


def checkpoint(folder, step, value):
    place = folder / f"run/step{step}"
    place.mkdir(parents=True)
    save_file({"w": np.full(100, value, np.float32)}, place / "model.safetensors")
    (place / "config.json").write_text("{}")


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


def test_a_tokenizer_that_is_none_makes_the_checkpoint_corrupt(tmp_path):
    checkpoint(tmp_path, 4, 1.0)
    tokenizer(tmp_path / "tokenizer.json", "abcd")
    (tmp_path / "run/step4/tokenizer.json").write_text('{"model": []}')
    found = resolved(tmp_path, 4, Source("folder", str(tmp_path / "run/step{step}")))
    assert (found.status, found.reason[:44]) == ("corrupt", "tokenizer.json of step4 is no tokenizer ('li")


def test_another_tokenizer_is_a_wrong_request(tmp_path):
    checkpoint(tmp_path, 4, 1.0)
    tokenizer(tmp_path / "tokenizer.json", "abcd")
    tokenizer(tmp_path / "run/step4/tokenizer.json", "quite other words")
    with pytest.raises(RequestError, match=r"does not fit the panel's: .* \(m, step 4\)"):
        resolved(tmp_path, 4, Source("folder", str(tmp_path / "run/step{step}")))
