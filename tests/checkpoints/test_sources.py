"""Local sources: their manifests, and what is wrong with a request."""

import os

import pytest

from rare_neurons.checkpoints.sources import (
    Source,
    check_local,
    found_steps,
    regular_files,
    resolve,
    resolve_steps,
)
from rare_neurons.errors import DataFault, RequestError
from tests.checkpoints.tiny import make_run, opened


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


def test_a_step_of_more_digits_than_a_column_holds_is_no_step(tmp_path):
    make_run(tmp_path, [3, 10**18])
    assert found_steps(Source("folder", str(tmp_path / "step{step}"))) == (3,)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_pipe_in_the_place_of_a_file_is_told_and_nothing_waits_at_it(tmp_path, name):
    source, folder = make_run(tmp_path, [0]), tmp_path / "step0"
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert name not in regular_files(folder)
    found = resolve("m", 0, source)
    assert (found.status, found.reason, found.files) == (
        "corrupt",
        f"{name} of step0 is a named pipe, not a regular file",
        (),
    )


def test_a_corrupt_checkpoint_is_not_hashed(tmp_path, monkeypatch):
    source = make_run(tmp_path, [0])
    (tmp_path / "step0/model.safetensors").write_bytes(b"short")

    def refuse(path):
        raise AssertionError(f"{path} was hashed")

    monkeypatch.setattr("rare_neurons.checkpoints.sources.file_sha256", refuse)
    assert resolve("m", 0, source).status == "corrupt"


def test_a_manifest_says_what_was_asked_for_and_not_where_the_files_lie(tmp_path):
    source = make_run(tmp_path / "run", [5])
    there = resolve("m", 5, source)
    (tmp_path / "run").rename(tmp_path / "moved")
    assert resolve("m", 5, source, folder=tmp_path / "moved/step5") == there
    assert there.location == str(tmp_path / "run/step5")
