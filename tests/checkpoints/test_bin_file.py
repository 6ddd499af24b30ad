"""A `.bin` file is looked at as bytes before torch opens it; what is no tensor in it never comes to be."""

import pickle
import struct
import zipfile

import numpy as np
import pytest

from rare_neurons.checkpoints.bin_file import _check_pickle, load_bin, to_numpy
from rare_neurons.errors import DataFault

torch = pytest.importorskip("torch")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pytorch_model.bin"


def rewrite(path, change=lambda name, data: data, *, compression=zipfile.ZIP_STORED, extra=()):
    """Write a torch archive once more with other entries."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in [*entries.items(), *extra]:
            archive.writestr(name, change(name, data))


class Named:
    """Pickled as a call of something that a pickle of tensors has no business with."""

    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_parameters_and_shared_ones_are_read(path, zipped):
    shared = torch.arange(6.0).reshape(2, 3)
    state = {"a": shared, "b": shared, "c": torch.nn.Parameter(torch.ones(2).bfloat16()), "d": torch.tensor([True])}
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    found = load_bin(path)
    assert {name: to_numpy(value).dtype for name, value in found.items()} == {
        **dict.fromkeys("abc", np.float32),
        "d": bool,
    }
    assert all(np.array_equal(to_numpy(found[name]), shared.numpy()) for name in "ab")


def test_what_a_module_saves_is_read(path):
    torch.save(torch.nn.Linear(2, 3).state_dict(), path)
    assert load_bin(path).keys() == {"weight", "bias"}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("call", [(print, "run"), (bytearray, 10**12), (torch.Size, (1, 2)), (torch.empty, 10**12)])
def test_a_pickle_that_names_anything_else_is_refused_before_it_is_run(path, zipped, call, capsys):
    torch.save({"w": torch.ones(2), "x": Named(*call)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataFault, match=r"a pickle that names .*, which is no part of a tensor"):
        load_bin(path)
    assert capsys.readouterr().out == ""


def test_newer_protocols_are_refused(path):
    torch.save({"w": torch.ones(2)}, path, pickle_protocol=4)
    with pytest.raises(DataFault, match="a pickle with STACK_GLOBAL"):
        load_bin(path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"compression": zipfile.ZIP_DEFLATED}, "entries are compressed, first"),
        ({"extra": [("archive/constants.pkl", b"")]}, "a TorchScript archive, which holds code"),
        ({"extra": [("other/data.pkl", b"")]}, "2 pickles, of which one"),
        ({"change": lambda name, data: b"" if name.endswith("data.pkl") else data}, "truncated or no torch"),
        ({"change": lambda name, data: data + b"." * 2**22 if "data.pkl" in name else data}, "one of at most 4194304"),
    ],
)
def test_archives_that_are_none_of_tensors(path, change, why):
    torch.save({"w": torch.ones(2)}, path)
    rewrite(path, **change)
    with pytest.raises(DataFault, match=why):
        load_bin(path)


def test_an_archive_whose_directory_claims_to_be_huge(path):
    torch.save({"w": torch.ones(2)}, path)
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x05\x06")
    struct.pack_into("<I", content, at + 12, 2**31)
    path.write_bytes(content)
    with pytest.raises(DataFault, match="a directory of more than"):
        load_bin(path)
    path.write_bytes(content[:at])
    with pytest.raises(DataFault, match="no end of its directory"):
        load_bin(path)


def test_an_archive_whose_directory_places_entries_before_the_file(path):
    torch.save({"w": torch.ones(2)}, path)
    content = path.read_bytes()
    half = len(content) // 2
    path.write_bytes(content[:half] + content[half + 7 :])
    with pytest.raises(DataFault, match="truncated or no torch weight file"):
        load_bin(path)


def test_a_disk_that_cannot_be_read_is_no_fault_of_the_data(path, monkeypatch):
    torch.save({"w": torch.ones(2)}, path)

    def broken(*_, **__):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(torch, "load", broken)
    with pytest.raises(OSError, match="Input/output error"):
        load_bin(path)


@pytest.mark.parametrize(
    "state",
    [
        [1, 2],
        {"w": 3},
        {"w": {"x": torch.ones(2)}},
        {"w": torch.ones(2).to_sparse()},
        {"w": torch.ones(2, dtype=torch.complex64)},
        {1: torch.ones(2)},
        {"a\nb": torch.ones(2)},
        {"a" * 300: torch.ones(2)},
        {"w": torch.ones(1).expand(10**12)},
        {"w": torch.ones(1000, device="meta")},
    ],
    ids=str,
)
def test_what_is_no_mapping_from_names_to_plain_tensors_is_refused(path, state):
    torch.save(state, path)
    with pytest.raises(DataFault, match=r"pytorch_model\.bin"):
        load_bin(path)


def test_an_old_file_that_claims_more_memory_than_it_has_bytes_is_a_fault_of_the_data(path):
    torch.save({"w": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    at = content.index(b"cpu")
    size = content.index(b"K\x02", at)  # number of elements
    path.write_bytes(content[:size] + b"\x8a\x08" + struct.pack("<q", 10**15) + content[size + 2 :])
    with pytest.raises(DataFault, match=r"pytorch_model\.bin: \d+ bytes, truncated or no torch weight file"):
        load_bin(path)


def test_want_of_memory_for_what_is_there_is_no_fault_of_the_data(path, monkeypatch):
    torch.save({"w": torch.ones(2)}, path)

    def short(*_, **__):
        raise RuntimeError("can't allocate memory: you tried to allocate 8 bytes")

    monkeypatch.setattr(torch, "load", short)
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        load_bin(path)


def test_what_an_unpickler_would_call_is_seen_in_the_bytes():
    for protocol in range(6):
        with pytest.raises(ValueError, match=r"a pickle (that names|with STACK_GLOBAL)"):
            _check_pickle(pickle.dumps(Named(print, "run"), protocol))
    with pytest.raises(ValueError, match="pickle exhausted before seeing STOP"):
        _check_pickle(b"\x80\x02")
