"""Fetching under faults: what arrives is right, or the reason is given; nothing is served whole twice without need."""

import hashlib
import json
import os
from collections import Counter

import numpy as np
import pytest
from safetensors.numpy import save_file

from rare_neurons.checkpoints.cache import open_weights, prefetch
from rare_neurons.checkpoints.hub import HubListing
from rare_neurons.checkpoints.retry import HubUnreachable
from rare_neurons.checkpoints.tensors import iter_tensors
from rare_neurons.errors import DataFault
from tests.checkpoints.conftest import IMPATIENT
from tests.hub.server import Fault

WEIGHTS = r"GET /cdn/.*step2/model\.safetensors"


def manifest(hub, step=2):
    return HubListing("lab/pythia", template="step{step}", endpoint=hub.url, network=IMPATIENT).manifest("m", step)


def fetched(hub, tmp_path, step=2):
    """Open a checkpoint and return its weight file's bytes."""
    with open_weights(manifest(hub, step), **place(tmp_path)) as folder:
        assert [name for name, _ in iter_tensors(folder)] == ["w"]
        assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
        return (folder / "model.safetensors").read_bytes()


def place(tmp_path):
    return {
        "cache_dir": tmp_path / "cache",
        "budget_bytes": 10**8,
        "network": IMPATIENT,
        "hub_cache": tmp_path / "hub-cache",
    }


def served(hub, step=2):
    return (hub.root / "lab" / "pythia" / f"step{step}" / "model.safetensors").read_bytes()


def whole(hub):
    """How often each file was served completely."""
    return Counter(path.rsplit("/", 1)[-1] for path in hub.downloads(whole=True))


def bytes_of_weights(hub):
    return sum(entry.sent for entry in hub.bodies() if entry.path.startswith("/cdn/"))


def test_only_needed_files_are_fetched_once_and_identical_branches_share_them(hub, tmp_path):
    for step in (0, 1, 0):
        assert fetched(hub, tmp_path, step) == served(hub, 0)
    assert whole(hub) == {"model.safetensors": 1, "config.json": 1}
    assert list((tmp_path / "cache" / "views").iterdir()) == []
    assert list((tmp_path / "cache" / "pins").iterdir()) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(WEIGHTS, times=2, status=503),
        Fault(WEIGHTS, times=2, status=429, headers={"Retry-After": "0"}),
        Fault(WEIGHTS, stall=0.8),
        Fault(r"GET /lab/.*/resolve/.*", times=2, status=502),
    ],
    ids=["503 twice", "429", "stall", "502 before the redirect"],
)
def test_passing_faults_are_waited_out(hub, tmp_path, fault):
    expected = served(hub)
    hub.faults.append(fault)
    assert fetched(hub, tmp_path) == expected
    assert whole(hub) == {"model.safetensors": 1, "config.json": 1}


def test_retry_after_is_obeyed(hub, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr("rare_neurons.checkpoints.retry._sleep", lambda seconds, _stop: waits.append(seconds))
    hub.faults.append(Fault(WEIGHTS, status=429, headers={"Retry-After": "7"}))
    hub.faults.append(Fault(WEIGHTS, status=503))
    fetched(hub, tmp_path)
    assert waits[0] == 7
    assert waits[1] < 0.1


def test_a_cut_connection_is_resumed_where_it_broke(hub, tmp_path):
    expected = served(hub)
    cut = int(0.6 * len(expected))
    hub.faults.append(Fault(WEIGHTS, cut=cut))
    assert fetched(hub, tmp_path) == expected
    assert bytes_of_weights(hub) == len(expected)
    assert [entry.range for entry in hub.log if entry.path.startswith("/cdn/")] == [None, f"bytes={cut}-"]


def test_a_server_that_ignores_ranges_starts_the_file_anew(hub, tmp_path):
    hub.faults += [Fault(WEIGHTS, cut=5000), Fault(WEIGHTS, ignore_range=True)]
    assert fetched(hub, tmp_path) == served(hub)
    assert whole(hub)["model.safetensors"] == 1


def test_many_cuts_are_no_reason_to_give_up_as_long_as_bytes_arrive(hub, tmp_path):
    hub.faults.append(Fault(WEIGHTS, times=8, cut=1500))
    assert fetched(hub, tmp_path) == served(hub)


def test_a_byte_flipped_on_the_way_costs_one_more_fetch(hub, tmp_path):
    hub.faults.append(Fault(WEIGHTS, flip=True))
    assert fetched(hub, tmp_path) == served(hub)
    assert whole(hub) == {"model.safetensors": 2, "config.json": 1}


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        ({"flip": True}, r"model\.safetensors of lab/pythia at step2 .*other content .*twice: the source is bad"),
        ({"truncate": 9000}, r"truncated at the source, 9000 bytes where its listing says \d+, twice"),
    ],
)
def test_a_bad_source_is_a_data_fault_after_exactly_one_more_fetch(hub, tmp_path, fault, match):
    hub.faults.append(Fault(WEIGHTS, times=100, **fault))
    with pytest.raises(DataFault, match=match):
        fetched(hub, tmp_path)
    with pytest.raises(DataFault, match=match):  # the next job is told without another fetch
        fetched(hub, tmp_path)
    assert whole(hub)["model.safetensors"] == 2
    assert list((tmp_path / "cache" / "partial").iterdir()) == []
    assert fetched(hub, tmp_path, 4) == served(hub, 4)


def test_a_source_that_was_bad_is_tried_again_after_a_day(hub, tmp_path):
    hub.faults.append(Fault(WEIGHTS, times=2, flip=True))
    with pytest.raises(DataFault):
        fetched(hub, tmp_path)
    for fault in (tmp_path / "cache" / "faults").iterdir():
        os.utime(fault, (0, 0))
    assert fetched(hub, tmp_path) == served(hub)
    assert list((tmp_path / "cache" / "faults").iterdir()) == []


def test_a_listed_file_that_is_gone_is_a_data_fault(hub, tmp_path):
    wanted = manifest(hub)
    (hub.root / "lab/pythia/step2/model.safetensors").unlink()
    with pytest.raises(DataFault, match="listed, but not served"), open_weights(wanted, **place(tmp_path)):
        pass


def test_a_missing_revision_is_a_data_fault(hub, tmp_path):
    with pytest.raises(DataFault, match="no revision step7"), open_weights(manifest(hub, 7), **place(tmp_path)):
        pass


def test_503_for_ever_fails_and_a_later_run_resumes(hub, tmp_path):
    expected = served(hub)
    hub.faults += [Fault(WEIGHTS, cut=6000), Fault(WEIGHTS, times=100, status=503)]
    with pytest.raises(HubUnreachable, match=r"model\.safetensors of lab/pythia at step2 .*answered 503"):
        fetched(hub, tmp_path)
    hub.faults.clear()
    assert fetched(hub, tmp_path) == expected
    assert bytes_of_weights(hub) == len(expected)


def test_a_corrupted_beginning_on_disk_is_found_and_fetched_anew(hub, tmp_path):
    partial = tmp_path / "cache" / "partial" / hashlib.sha256(served(hub)).hexdigest()
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 7000)
    assert fetched(hub, tmp_path) == served(hub)


def test_a_blob_cut_on_disk_is_fetched_anew(hub, tmp_path):
    fetched(hub, tmp_path)
    blob = tmp_path / "cache" / "blobs" / hashlib.sha256(served(hub)).hexdigest()
    blob.write_bytes(blob.read_bytes()[:-1])
    assert fetched(hub, tmp_path) == served(hub)


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


def test_a_token_goes_to_the_hub_and_not_where_it_redirects(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetched(hub, tmp_path)
    assert {entry.authorized for entry in hub.log if not entry.path.startswith("/cdn/")} == {True}
    assert [entry.authorized for entry in hub.log if entry.path.startswith("/cdn/")] == [False]


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
