"""Weights inside a job: fetched once, read in place where they are, the next ones meanwhile."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from rare_neurons.checkpoints.cache import open_weights, prefetch
from rare_neurons.checkpoints.hub import HubListing
from rare_neurons.checkpoints.sources import resolve
from rare_neurons.checkpoints.tensors import iter_tensors
from rare_neurons.errors import DataFault
from tests.checkpoints.tiny import (
    IMPATIENT,
    fetched,
    make_run,
    manifest,
    manifests_on_disk,
    opened,
    place,
    served,
    whole,
)


def test_only_needed_files_are_fetched_once_and_identical_branches_share_them(hub, tmp_path):
    for step in (0, 1, 0):
        assert fetched(hub, tmp_path, step) == served(hub, 0)
    assert whole(hub) == {"model.safetensors": 1, "config.json": 1}
    assert list((tmp_path / "cache" / "views").iterdir()) == []
    assert list((tmp_path / "cache" / "pins").iterdir()) == []


def test_the_next_checkpoint_is_fetched_meanwhile(hub, tmp_path):
    now, following = manifest(hub, 2), manifest(hub, 4)
    blob = tmp_path / "cache" / "blobs" / following.files[1].key
    with open_weights(now, ahead=[following], **place(tmp_path)):
        for _ in range(500):
            if blob.exists():
                break
            hub.guard.acquire(timeout=0.01) and hub.guard.release()
    before = len(hub.downloads())
    assert fetched(hub, tmp_path, 4) == served(hub, 4)
    assert len(hub.downloads()) == before


def test_prefetch_tells_what_is_ready_left_out_and_faulty(hub, tmp_path):
    manifests = [manifest(hub, step) for step in (0, 1, 7, 2, 4)]
    where = place(tmp_path) | {"budget_bytes": 2 * manifests[0].size}
    report = prefetch(manifests, **where)
    assert report.ready == (("m", 0), ("m", 1), ("m", 2))
    assert report.left_out == (("m", 4),)
    assert report.faulty == (("m", 7, "no revision step7 among the 6 of lab/pythia"),)
    hub.server_close()
    with open_weights(manifests[3], **where) as folder:
        assert (folder / "model.safetensors").read_bytes() == served(hub)


def test_a_missing_revision_is_a_data_fault(hub, tmp_path):
    with pytest.raises(DataFault, match="no revision step7"), open_weights(manifest(hub, 7), **place(tmp_path)):
        pass


def test_bin_only_and_sharded_repositories(hub, tmp_path):
    torch = pytest.importorskip("torch")
    old, new = (hub.root / "lab" / "mixed" / f"step{step}" for step in (0, 1))
    old.mkdir(parents=True)
    new.mkdir()
    weights = {"a": np.ones((2, 3), dtype=np.float32), "b": np.zeros(4, dtype=np.float32)}
    legacy = {"layers.0.attention.masked_bias": torch.tensor(-1e9).half()}
    torch.save({name: torch.from_numpy(array) for name, array in weights.items()} | legacy, old / "pytorch_model.bin")
    for part, name in enumerate(weights, start=1):
        save_file({name: weights[name]}, new / f"model-0000{part}-of-00002.safetensors")
    names = {name: f"model-0000{part}-of-00002.safetensors" for part, name in enumerate(weights, start=1)}
    (new / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    listing = HubListing("lab/mixed", template="step{step}", endpoint=hub.url, network=IMPATIENT)
    for step in (0, 1):
        with open_weights(listing.manifest("m", step), **place(tmp_path)) as folder:
            read = dict(iter_tensors(folder))
        assert sorted(read) == ["a", "b"]
        np.testing.assert_array_equal(read["a"], weights["a"])


def test_weights_are_read_in_place_and_nothing_is_changed(tmp_path):
    manifest = resolve("m", 5, make_run(tmp_path / "run", [5]))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    for _ in range(2):
        with opened(manifest, tmp_path) as folder:
            assert folder == tmp_path / "run" / "step5"
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before


def test_wrong_status_opens_nothing(hub, tmp_path):
    (missing,) = manifests_on_disk(hub, tmp_path, [7])
    with pytest.raises(DataFault, match="no revision step7"), open_weights(missing, cache_dir=tmp_path, budget_bytes=1):
        pass


def test_a_local_checkpoint_may_lie_elsewhere_than_its_manifest_says(tmp_path):
    manifest = resolve("m", 5, make_run(tmp_path / "run", [5]))
    (tmp_path / "run").rename(tmp_path / "moved")
    where = {"cache_dir": tmp_path / "cache", "budget_bytes": 1}
    with open_weights(manifest, folder=tmp_path / "moved/step5", **where) as folder:
        assert folder == tmp_path / "moved/step5"
    (tmp_path / "moved/step5/config.json").write_text("{}")
    with (
        pytest.raises(DataFault, match="was truncated since"),
        open_weights(manifest, folder=tmp_path / "moved/step5", **where),
    ):
        pass
