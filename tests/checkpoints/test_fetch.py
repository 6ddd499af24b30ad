"""Fetching under faults: what arrives is right, or the reason is given; nothing is served whole twice without need."""

import hashlib

import pytest

from rare_neurons.checkpoints.cache import open_weights
from rare_neurons.errors import DataFault
from tests.checkpoints.tiny import WEIGHTS, bytes_of_weights, fetched, manifest, place, served, whole
from tests.hub.server import Fault


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


def test_a_listed_file_that_is_gone_is_a_data_fault(hub, tmp_path):
    wanted = manifest(hub)
    (hub.root / "lab/pythia/step2/model.safetensors").unlink()
    with pytest.raises(DataFault, match="listed, but not served"), open_weights(wanted, **place(tmp_path)):
        pass


def test_a_corrupted_beginning_on_disk_is_found_and_fetched_anew(hub, tmp_path):
    partial = tmp_path / "cache" / "partial" / hashlib.sha256(served(hub)).hexdigest()
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 7000)
    assert fetched(hub, tmp_path) == served(hub)


def test_a_token_goes_to_the_hub_and_not_where_it_redirects(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetched(hub, tmp_path)
    assert {entry.authorized for entry in hub.log if not entry.path.startswith("/cdn/")} == {True}
    assert [entry.authorized for entry in hub.log if entry.path.startswith("/cdn/")] == [False]
