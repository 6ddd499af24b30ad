"""Reading of one `.bin` file: looked at as bytes before torch sees it, and only plain tensors accepted, never code."""

import errno
import io
import pickle
import pickletools
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from rare_neurons.checkpoints.files import open_regular
from rare_neurons.checkpoints.safetensors_file import check_name
from rare_neurons.errors import DataFault, shown

if TYPE_CHECKING:
    import torch

_ZIP_MAGIC = b"PK\x03\x04"  # what torch itself goes by
_MAX_PICKLE_BYTES = 2**22  # 200 bytes for each tensor: 20,000 of them
_MAX_DIRECTORY_BYTES = 2**23  # of the archive: 100 bytes for each entry, one entry for each tensor
_LEGACY_PICKLES = 5  # before torch 1.6: magic number, protocol, system, the object, keys of its storages
_STORAGES = ("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
_ALLOWED = {
    "collections OrderedDict",
    *(f"torch._utils _rebuild_{what}" for what in ("tensor", "tensor_v2", "parameter")),
    *(f"torch {kind}Storage" for kind in _STORAGES),
}
"""What a pickle of tensors names. Torch's own restricted reader knows more, some of which takes memory at will."""
_REFUSED_OPCODES = {"STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"}
_UNREADABLE = (
    *(pickle.UnpicklingError, RuntimeError, EOFError, ValueError, TypeError, LookupError, AttributeError),
    *(AssertionError, OverflowError, struct.error, zipfile.BadZipFile, OSError),
)


def load_bin(path: Path) -> dict[str, "torch.Tensor"]:
    """Map a `.bin` file into memory.

    Raises
    ------
    DataFault
        If it is truncated, holds anything but a mapping from names to plain tensors, or names code.
    """
    import torch

    with open_regular(path) as file:
        size = file.seek(0, io.SEEK_END)
        try:
            zipped = _starts_as_zip(file)
            for text in [_pickle_of_zip(file, size)] if zipped else _pickles_of_legacy(file):
                _check_pickle(text)
            # Files from before torch 1.6 are no zip archives and cannot be mapped.
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
        except _UNREADABLE as error:
            if _is_the_machines(error, size):
                raise
            cause = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
            raise DataFault(f"{path.name}: {size} bytes, truncated or no torch weight file ({cause})") from error
    if not isinstance(state, dict):
        raise DataFault(f"{path.name} holds a {type(state).__name__}, not a mapping from names to tensors")
    _check_tensors(path, state, size)
    return state


def to_numpy(tensor: "torch.Tensor") -> np.ndarray:
    """Copy a tensor, bfloat16 widened to float32: the file may be evicted while the array lives."""
    import torch

    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().contiguous().numpy().copy()


def _starts_as_zip(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC


def _pickle_of_zip(file: BinaryIO, size: int) -> bytes:
    """Return the one pickle of an archive whose entries are stored as they are, and fit into the file."""
    if _directory_bytes(file, size) > _MAX_DIRECTORY_BYTES:
        raise ValueError(f"a directory of more than {_MAX_DIRECTORY_BYTES} bytes")
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if packed := [entry.filename for entry in entries if entry.compress_type != zipfile.ZIP_STORED]:
            raise ValueError(f"{len(packed)} entries are compressed, first {shown(packed[0])}")
        if sum(entry.file_size for entry in entries) > size:
            raise ValueError("its entries are larger than the file")
        if any(entry.filename.endswith("/constants.pkl") for entry in entries):
            raise ValueError("a TorchScript archive, which holds code")
        pickles = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
        if len(pickles) != 1 or pickles[0].file_size > _MAX_PICKLE_BYTES:
            raise ValueError(f"{len(pickles)} pickles, of which one of at most {_MAX_PICKLE_BYTES} bytes is read")
        return archive.read(pickles[0])


def _directory_bytes(file: BinaryIO, size: int) -> int:
    """Size of an archive's central directory by its last record (APPNOTE 6.3.9, sections 4.3.14 to 4.3.16)."""
    file.seek(max(0, size - 2**16 - 22))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        raise zipfile.BadZipFile("no end of its directory")
    (n_bytes,) = struct.unpack_from("<I", tail, at + 12)
    if n_bytes != 0xFFFFFFFF and tail[max(0, at - 20) : at - 16] != b"PK\x06\x07":
        return n_bytes
    (place,) = struct.unpack_from("<Q", tail, at - 20 + 8)
    if place + 48 > size:
        raise zipfile.BadZipFile("no end of its 64-bit directory")
    file.seek(place)
    return max(n_bytes if n_bytes != 0xFFFFFFFF else 0, *struct.unpack_from("<Q", file.read(48), 40))


def _pickles_of_legacy(file: BinaryIO) -> list[bytes]:
    file.seek(0)
    head = io.BytesIO(file.read(_MAX_PICKLE_BYTES))
    pickles = []
    for _ in range(_LEGACY_PICKLES):
        start = head.tell()
        for _opcode in pickletools.genops(head):
            pass
        pickles.append(head.getvalue()[start : head.tell()])
    return pickles


def _check_pickle(text: bytes) -> None:
    """Refuse a pickle that names anything but what tensors are made of; nothing of it is run."""
    for opcode, argument, _ in pickletools.genops(io.BytesIO(text)):
        if opcode.name in _REFUSED_OPCODES:
            raise ValueError(f"a pickle with {opcode.name}, which could make any object")
        if opcode.name == "GLOBAL" and argument not in _ALLOWED:
            raise ValueError(f"a pickle that names {shown(argument)}, which is no part of a tensor")


def _is_the_machines(error: Exception, size: int) -> bool:
    """Whether memory was short for what the file really holds, or the disk could not be read."""
    if isinstance(error, OSError):
        return error.errno != errno.EINVAL  # a place before the beginning, by a directory that says so
    if "allocate memory" not in str(error):
        return False
    asked = re.search(r"tried to allocate (\d+) bytes", str(error))
    return asked is None or int(asked[1]) <= size


def _check_tensors(path: Path, state: Mapping[object, object], size: int) -> None:
    """Refuse what is no dense tensor of a known dtype, and tensors that together are larger than their file."""
    import torch

    known = {getattr(torch, kind) for kind in ("bool", "uint8", "int8", "int16", "int32", "int64")}
    known |= {torch.float16, torch.bfloat16, torch.float32, torch.float64}
    total = 0
    for name, value in state.items():
        try:
            check_name(name)
        except ValueError as error:
            raise DataFault(f"{path.name}: {error}") from error
        if type(value) not in (torch.Tensor, torch.nn.Parameter) or value.layout is not torch.strided:
            raise DataFault(f"{path.name}: {name!r} is a {type(value).__name__}, not a dense tensor of numbers")
        if value.dtype not in known or value.device.type != "cpu":
            raise DataFault(f"{path.name}: tensor {name!r} has dtype {value.dtype} on {value.device}: not read here")
        total += value.numel() * value.element_size()
    # A tied unembedding is stored once and named twice.
    if total > 2 * size:
        raise DataFault(f"{path.name}: tensors of {total} bytes in a file of {size}")
