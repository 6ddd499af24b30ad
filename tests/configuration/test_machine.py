"""Files, folders and devices that are not there are told before any job; what only a job can tell is left to it."""

import copy
import json

import pytest

from rare_neurons.configuration import machine
from rare_neurons.errors import RequestError
from tools.configuration import read_config

OWN = read_config("config/own-model.yaml")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with all that config/own-model.yaml names."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/a.txt").write_text("text")
    (tmp_path / "runs/my-model/tokenizer").mkdir(parents=True)
    (tmp_path / "runs/my-model/tokenizer/tokenizer.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(change=lambda config: None, **options):
    config = copy.deepcopy(OWN)
    change(config)
    with pytest.raises(RequestError) as caught:
        machine.check_machine(config, **{"runs_here": True, **options})
    head, *lines = str(caught.value).splitlines()
    assert head == "the configuration names what is not there:"
    return lines


def test_what_is_there_is_accepted(place):
    machine.check_machine(OWN, runs_here=True)


def test_a_tokenizer_that_is_missing(place):
    (place / "runs/my-model/tokenizer/tokenizer.json").unlink()
    told = (
        "tokenizers.my-tokenizer.path: 'runs/my-model/tokenizer' is not allowed; a folder that holds a tokenizer.json"
    )
    assert refused() == [f"  - {told} is needed"]


def test_patterns_without_files_and_counts_that_are_missing(place):
    def change(config):
        config["corpora"]["my-text"] |= {"paths": ["texts/*.txt", "texts/*.md"], "unigram_counts": "counts.npy"}

    assert refused(change) == [
        "  - corpora.my-text.paths.1: 'texts/*.md' is not allowed; it matches no file, relative paths begin at "
        f"{place.name}/",
        "  - corpora.my-text.unigram_counts: 'counts.npy' is not allowed; an existing file is needed, or no key",
    ]


@pytest.mark.parametrize(("device", "known", "bad"), [("cuda", 0, True), ("cuda:1", 1, True), ("cuda:1", 2, False)])
def test_devices_are_counted_where_jobs_run_here(place, monkeypatch, device, known, bad):
    monkeypatch.setattr(machine, "n_cuda_devices", lambda: known)
    config = copy.deepcopy(OWN)
    config["probe"]["device"] = device
    machine.check_machine(config, runs_here=False)
    if bad:
        lines = refused(lambda c: c["probe"].update(device=device))
        told = f"probe.device: {device!r} is not allowed; this machine has {known} CUDA devices, counted from 0"
        assert lines == [f"  - {told}; cpu is always there"]
    else:
        machine.check_machine(config, runs_here=True)


def test_accelerators_of_a_placement_are_counted(place, monkeypatch):
    monkeypatch.setattr(machine, "n_cuda_devices", lambda: 1)
    room = {"max_memory_gb": {"0": 10, "3": 10, "cpu": 50}}
    (line,) = refused(lambda c: c["probe"].update(device="cuda", placement=room))
    assert line.startswith("  - probe.placement.max_memory_gb.3: '3' is not allowed; this machine has 1 CUDA devices")


def test_mps_is_apples(place, monkeypatch):
    monkeypatch.setattr(machine.platform, "system", lambda: "Linux")
    (line,) = refused(lambda c: c["probe"].update(device="mps"))
    assert "probe.device: 'mps' is not allowed; this machine is no Apple silicon" in line


def test_a_machine_without_a_driver_has_no_devices_and_rocm_is_left_to_the_job(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_DRIVERS", ("libnone.so.0",))
    monkeypatch.setattr(machine, "_ROCM", tmp_path / "kfd")
    assert machine.n_cuda_devices() == 0
    (tmp_path / "kfd").touch()
    assert machine.n_cuda_devices() is None


class Driver:
    """A CUDA driver with some devices, or one that does not start."""

    def __init__(self, devices, start=0):
        self.devices, self.start = devices, start

    def cuInit(self, _):
        return self.start

    def cuDeviceGetCount(self, pointer):
        pointer._obj.value = self.devices
        return 0


@pytest.mark.parametrize(("driver", "known"), [(Driver(2), 2), (Driver(0), 0), (Driver(2, start=100), 0)])
def test_a_driver_is_asked_for_its_devices(monkeypatch, tmp_path, driver, known):
    monkeypatch.setattr(machine, "_ROCM", tmp_path / "none")
    monkeypatch.setattr(machine.ctypes, "CDLL", lambda name: driver)
    assert machine.n_cuda_devices() == known


@pytest.mark.parametrize("key", ["max_position_embeddings", "n_positions"])
def test_contexts_longer_than_a_models_positions(place, key):
    (place / "config.json").write_text(json.dumps({key: 64}))
    folders = {"my-model": str(place)}
    (line,) = refused(folders=folders)
    assert line == "  - panels.heldout.context_length: 128 is not allowed; model my-model has 64 positions"
    (place / "config.json").write_text(json.dumps({key: 128}))
    machine.check_machine(OWN, runs_here=True, folders=folders)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"n_positions": true}', '{"n_positions": "64"}', "[" * 100_000, "{}" + " " * 10**6]
)
def test_a_config_that_says_nothing_is_left_to_its_job(place, text):
    (place / "config.json").write_text(text)
    machine.check_machine(OWN, runs_here=True, folders={"my-model": str(place)})
    machine.check_machine(OWN, runs_here=True, folders={"my-model": str(place / "none")})
