"""The managed cache between processes: budget, eviction, kills, a full disk, memory of bad sources."""

import hashlib
import os
import signal
import time

import pytest

from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.checkpoints.store import Store
from rare_neurons.errors import DataFault, RequestError
from tests.checkpoints.tiny import IMPATIENT, USE, WEIGHTS, fetched, manifests_on_disk, save_checkpoint, served, start
from tests.hub.server import Fault, serve


def bytes_in(folder):
    total = 0
    for path in (path for name in ("blobs", "partial") for path in (folder / name).glob("*")):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # evicted or renamed meanwhile
    return total


def test_three_processes_over_twelve_checkpoints_stay_within_the_budget(tmp_path):
    for step in range(12):
        save_checkpoint(tmp_path / "served" / "lab" / "run" / f"step{step}", step, size=250_000)
    cache = tmp_path / "cache"
    with serve(tmp_path / "served", bytes_per_second=4e7) as hub:
        manifests = manifests_on_disk(hub, tmp_path, range(12), "lab/run")
        budget = int(2.5 * manifests[0].size)  # room for two: one of the three has to wait
        paths = [tmp_path / f"step{step}.json" for step in range(12)]
        processes = [start(USE, cache, budget, 0.02, *paths[first::3]) for first in range(3)]
        peak = 0
        while any(process.poll() is None for process in processes):
            peak = max(peak, bytes_in(cache))
            time.sleep(0.001)
        outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert sorted(int(step) for out, _ in outputs for step in out.split()) == list(range(12))
    assert manifests[0].size < peak <= budget
    assert len(hub.downloads(whole=True)) == len(set(hub.downloads())) == 13  # the configuration is shared


def test_the_least_recently_used_goes_first_and_nothing_in_use_goes(hub, tmp_path):
    zero, two, four = manifests_on_disk(hub, tmp_path, [0, 2, 4])
    where = {"cache_dir": tmp_path / "cache", "budget_bytes": int(2.5 * zero.size), "network": IMPATIENT}

    def present():
        keys = {path.name for path in (tmp_path / "cache" / "blobs").iterdir()}
        return [manifest.step for manifest in (zero, two, four) if manifest.files[1].key in keys]

    for manifest in (zero, two, zero, four):
        with open_weights(manifest, **where):
            time.sleep(0.01)
    assert present() == [0, 4]
    with open_weights(zero, **where), open_weights(two, **where):
        assert present() == [0, 2]
        with Store(tmp_path / "cache", where["budget_bytes"]).pin(four, wait=False) as pin:
            assert pin is None
        assert present() == [0, 2]


def test_a_checkpoint_larger_than_the_budget_is_a_wrong_request(hub, tmp_path):
    (zero,) = manifests_on_disk(hub, tmp_path, [0])
    with (
        pytest.raises(RequestError, match=r"m step 0 needs \d+ bytes, the cache's disk budget is 100"),
        open_weights(zero, cache_dir=tmp_path / "cache", budget_bytes=100, network=IMPATIENT),
    ):
        pass


def test_a_killed_process_leaves_no_pin_and_its_bytes_are_resumed(tmp_path):
    save_checkpoint(tmp_path / "served" / "lab" / "run" / "step0", 1.0, size=500_000)
    cache = tmp_path / "cache"
    with serve(tmp_path / "served", bytes_per_second=2e6) as hub:
        (manifest,) = manifests_on_disk(hub, tmp_path, [0], "lab/run")
        process = start(USE, cache, manifest.size, 0, tmp_path / "step0.json")
        partial = cache / "partial" / manifest.files[1].key
        while not partial.exists() or partial.stat().st_size < 100_000:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        begun = partial.stat().st_size
        assert len(list((cache / "pins").glob("*.json"))) == 1
        hub.bytes_per_second = None
        with open_weights(manifest, cache_dir=cache, budget_bytes=manifest.size, network=IMPATIENT):
            assert len(list((cache / "pins").glob("*.json"))) == 1  # its own
        assert f"bytes={begun}-" in [entry.range for entry in hub.bodies()]
    assert list((cache / "pins").iterdir()) == []


FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
"""


def test_a_full_disk_fails_the_job_and_a_later_run_resumes(hub, tmp_path):
    (two,) = manifests_on_disk(hub, tmp_path, [2])
    process = start(FULL + USE, tmp_path / "cache", 10**7, 0, tmp_path / "step2.json")
    _, err = process.communicate()
    assert process.returncode != 0
    assert b"OSError: [Errno 27] File too large" in err  # what a size limit says instead of "no space left"
    assert [path.name for path in (tmp_path / "cache" / "blobs").iterdir()] == [two.files[0].key]
    with open_weights(two, cache_dir=tmp_path / "cache", budget_bytes=10**7, network=IMPATIENT) as folder:
        assert (folder / "model.safetensors").stat().st_size == two.files[1].size
    assert "bytes=9000-" in [entry.range for entry in hub.bodies()]


def test_orphans_are_swept_after_a_day_or_when_room_is_needed(hub, tmp_path):
    zero, two = manifests_on_disk(hub, tmp_path, [0, 2])
    old, young = tmp_path / "cache" / "partial" / "old", tmp_path / "cache" / "partial" / "young"
    young.parent.mkdir(parents=True)
    old.write_bytes(b"x")
    os.utime(old, (0, 0))
    young.write_bytes(b"x" * 50)
    where = {"cache_dir": tmp_path / "cache", "network": IMPATIENT}
    with open_weights(zero, budget_bytes=10**7, **where):
        assert (old.exists(), young.exists()) == (False, True)
    with open_weights(two, budget_bytes=two.size + 10, **where):
        assert not young.exists()


def test_a_source_that_was_bad_is_tried_again_after_a_day(hub, tmp_path):
    hub.faults.append(Fault(WEIGHTS, times=2, flip=True))
    with pytest.raises(DataFault):
        fetched(hub, tmp_path)
    for fault in (tmp_path / "cache" / "faults").iterdir():
        os.utime(fault, (0, 0))
    assert fetched(hub, tmp_path) == served(hub)
    assert list((tmp_path / "cache" / "faults").iterdir()) == []


def test_a_blob_cut_on_disk_is_fetched_anew(hub, tmp_path):
    fetched(hub, tmp_path)
    blob = tmp_path / "cache" / "blobs" / hashlib.sha256(served(hub)).hexdigest()
    blob.write_bytes(blob.read_bytes()[:-1])
    assert fetched(hub, tmp_path) == served(hub)
