"""Local sources: manifests, opening in place, and what is wrong with a request or with the data."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.checkpoints.layout import needed_files
from rare_neurons.checkpoints.manifest import read_manifest, write_manifest
from rare_neurons.checkpoints.sources import Source, check_local, found_steps, local_steps, resolve, resolve_steps
from rare_neurons.errors import DataFault, RequestError


def make_run(root, steps, template="step{step}"):
    for step in steps:
        folder = root / template.replace("{step}", str(step))
        folder.mkdir(parents=True)
        save_file({"w": np.full((3, 4), step, dtype=np.float32)}, folder / "model.safetensors")
        (folder / "config.json").write_text('{"model_type": "gpt_neox"}')
    return Source("folder", str(root / template))


def opened(manifest, tmp_path):
    return open_weights(manifest, cache_dir=tmp_path / "cache", budget_bytes=10**9)


def test_a_manifest_is_a_function_of_the_content(tmp_path):
    here, there = make_run(tmp_path / "a", [0, 5]), make_run(tmp_path / "b", [0, 5], "checkpoint-{step}")
    a, b = resolve("m", 5, here), resolve("m", 5, there)
    assert (a.status, a.reason, [f.name for f in a.files]) == ("ok", None, ["config.json", "model.safetensors"])
    assert a.digest == b.digest
    assert a.digest != resolve("m", 0, here).digest
    assert a.weights_digest != a.digest
    assert local_steps(there) == (0, 5)


def test_found_steps_are_those_whose_folders_are_there_ascending_and_with_gaps(tmp_path):
    source = make_run(tmp_path / "run", [1000, 5, 40], "checkpoint-{step}")
    for other in ("checkpoint-07", "checkpoint-best", "logs", "old-checkpoint-3"):
        (tmp_path / "run" / other).mkdir()
    (tmp_path / "run/checkpoint-9").write_text("a file")
    assert found_steps(source) == (5, 40, 1000)


def test_no_found_step_says_what_is_there(tmp_path):
    (tmp_path / "step1").mkdir()
    with pytest.raises(RequestError, match=r"no folder .*/checkpoint-\{step\} has a number .* holds step1\. Correct"):
        found_steps(Source("folder", str(tmp_path / "checkpoint-{step}")))
    with pytest.raises(RequestError, match=r"nowhere holds nothing\. Correct the path"):
        found_steps(Source("folder", str(tmp_path / "nowhere/step{step}")))


def test_manifests_survive_writing_and_are_equal_bytes(tmp_path):
    manifest = resolve("m", 5, make_run(tmp_path / "run", [5]))
    for name in ("one.json", "two.json"):
        write_manifest(manifest, tmp_path / "results" / name)
    one, two = (tmp_path / "results" / name for name in ("one.json", "two.json"))
    assert read_manifest(one) == manifest
    assert one.read_bytes() == two.read_bytes()
    assert sorted(path.name for path in one.parent.iterdir()) == ["one.json", "two.json"]
    record = json.loads(one.read_text())
    record["files"][0]["size"] += 1
    one.write_text(json.dumps(record))
    with pytest.raises(RequestError, match="digest does not fit"):
        read_manifest(one)
    one.write_text("{}")
    with pytest.raises(RequestError, match="not a checkpoint manifest"):
        read_manifest(one)


def test_a_trainer_folder_gives_weights_configuration_and_tokenizer_only():
    trainer = ["model.safetensors", "config.json", "generation_config.json", "tokenizer.json", "optimizer.pt"]
    trainer += ["scheduler.pt", "rng_state.pth", "trainer_state.json", "training_args.bin", "README.md"]
    assert needed_files(trainer) == ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json")
    both = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"]
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]
    assert needed_files([*both, *shards]) == tuple(sorted(shards))
    assert needed_files(both) == tuple(sorted(both))
    assert needed_files([*shards, "model.safetensors"]) == ("model.safetensors",)


def test_a_local_step_that_does_not_exist_is_an_error_before_any_job(tmp_path):
    source = make_run(tmp_path, [0, 5, 10])
    check_local(source, [0, 10])
    with pytest.raises(RequestError, match=r"step7 for step 7 \(2 steps missing\); steps found there: 0, 5, 10"):
        check_local(source, [5, 7, 8])
    with pytest.raises(RequestError, match="steps found there: none"):
        resolve("m", 7, Source("folder", str(tmp_path / "elsewhere" / "step{step}")))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("ftp", "x/step{step}"), "unknown source 'ftp'; known: folder, hub"),
        (("folder", "runs/x"), r"must contain \{step\} exactly once"),
        (("folder", "runs/{step}/x"), "last folder name"),
        (("hub", "a/b", "main"), r"must contain \{step\}"),
    ],
)
def test_wrong_sources_are_named(arguments, match):
    with pytest.raises(RequestError, match=match):
        Source(*arguments)


def test_weights_are_read_in_place_and_nothing_is_changed(tmp_path):
    manifest = resolve("m", 5, make_run(tmp_path / "run", [5]))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    for _ in range(2):
        with opened(manifest, tmp_path) as folder:
            assert folder == tmp_path / "run" / "step5"
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before


@pytest.mark.parametrize("late", [False, True])
def test_truncated_weights_are_a_data_fault_at_resolving_or_at_opening(tmp_path, late):
    source = make_run(tmp_path / "run", [5])
    manifest = resolve("m", 5, source)
    weights = tmp_path / "run" / "step5" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    if not late:
        manifest = resolve("m", 5, source)
        assert manifest.status == "corrupt"
    with pytest.raises(DataFault, match=r"model.safetensors (is|was) truncated.* bytes"), opened(manifest, tmp_path):
        pass


def test_a_changed_byte_is_a_data_fault_and_a_good_file_is_hashed_once(tmp_path, monkeypatch):
    manifest = resolve("m", 5, make_run(tmp_path / "run", [5]))
    with opened(manifest, tmp_path):
        pass
    with monkeypatch.context() as patch:
        patch.setattr("rare_neurons.checkpoints.verify.matches", lambda *_: pytest.fail("hashed again"))
        with opened(manifest, tmp_path):
            pass
    weights = tmp_path / "run" / "step5" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(DataFault, match="sha256 differs"), opened(manifest, tmp_path):
        pass
    weights.unlink()
    with pytest.raises(DataFault, match="gone since the manifest of m step 5"), opened(manifest, tmp_path):
        pass


def test_folders_without_weights_and_without_a_shard_are_missing_with_a_reason(tmp_path):
    source = make_run(tmp_path, [0, 1, 2])
    (tmp_path / "step0" / "model.safetensors").unlink()
    (tmp_path / "step1" / "model.safetensors").rename(tmp_path / "step1" / "model-00001-of-00002.safetensors")
    empty, shard, good = resolve_steps("m", [0, 1, 2], source)
    assert (empty.status, shard.status, good.status) == ("missing", "missing", "ok")
    assert empty.reason.startswith("step0 holds no weights")
    assert shard.reason == "step1 lacks 1 of its shards: model-00002-of-00002.safetensors"
    with pytest.raises(DataFault, match="step0 holds no weights"), opened(empty, tmp_path):
        pass
