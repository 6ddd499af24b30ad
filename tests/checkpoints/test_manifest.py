"""A manifest is a function of the content, and survives writing."""

import json

import pytest

from rare_neurons.checkpoints.manifest import read_manifest, write_manifest
from rare_neurons.checkpoints.sources import local_steps, resolve
from rare_neurons.errors import DamagedFile
from tests.checkpoints.tiny import make_run


def test_a_manifest_is_a_function_of_the_content(tmp_path):
    here, there = make_run(tmp_path / "a", [0, 5]), make_run(tmp_path / "b", [0, 5], "checkpoint-{step}")
    a, b = resolve("m", 5, here), resolve("m", 5, there)
    assert (a.status, a.reason, [f.name for f in a.files]) == ("ok", None, ["config.json", "model.safetensors"])
    assert a.digest == b.digest
    assert a.digest != resolve("m", 0, here).digest
    assert a.weights_digest != a.digest
    assert local_steps(there) == (0, 5)


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
    with pytest.raises(DamagedFile, match="its content does not have its digest"):
        read_manifest(one)
    del record["content_sha256"]  # as earlier versions wrote it
    one.write_text(json.dumps(record))
    with pytest.raises(DamagedFile, match="digest does not fit the files listed"):
        read_manifest(one)
    one.write_text("{}")
    with pytest.raises(DamagedFile, match="no checkpoint manifest"):
        read_manifest(one)
