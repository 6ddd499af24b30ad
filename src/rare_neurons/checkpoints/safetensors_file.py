"""Lazy reading of one safetensors file, bfloat16 included, with every inconsistency named."""

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from rare_neurons.checkpoints.files import JsonBounds, open_regular, parse_json
from rare_neurons.errors import DataFault, shown

_LENGTH_BYTES = 8
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?"} | {
    f"{sign}{8 * size}": f"<{sign.lower()}{size}" for sign in "IU" for size in (1, 2, 4, 8)
}
# Ten values for each tensor: 20,000 tensors, twenty times those of the largest supported models.
_HEADER_BOUNDS = JsonBounds(bytes=2**24, values=200_000, depth=4)
_MAX_AXES = 8
MAX_NAME = 256
"""Characters of a tensor's name."""


@dataclass(frozen=True)
class TensorPlace:
    """Where a tensor lies: dtype code of the format, shape, first byte and byte past the end in the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def read_header(path: Path) -> dict[str, TensorPlace]:
    """Read where each tensor lies, and check that the tensors fill the file as the format demands.

    Raises
    ------
    DataFault
        If the header is unreadable or too large, a dtype unknown, or sizes, offsets and length of the file contradict
        each other.
    """
    path = Path(path)
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if size < _LENGTH_BYTES or length > size - _LENGTH_BYTES:
            raise DataFault(f"{path.name}: {size} bytes, no complete safetensors header (truncated or not safetensors)")
        if length > _HEADER_BOUNDS.bytes:
            raise DataFault(f"{path.name}: a header of {length} bytes, at most {_HEADER_BOUNDS.bytes} are read")
        text = file.read(length)
    base = _LENGTH_BYTES + length
    try:
        places = _places(parse_json(text, _HEADER_BOUNDS), base)
    except ValueError as error:
        raise DataFault(f"{path.name}: {size} bytes, unreadable safetensors header ({error})") from error
    promised = max((place.end for place in places.values()), default=base)
    if promised != size:
        word = "truncated" if size < promised else "longer than its header says"
        raise DataFault(f"{path.name} is {word}: {size} bytes, its header promises {promised}")
    _check_filled(path, places, base)
    return places


def check_name(name: object) -> None:
    """Raise ValueError unless it may be the name of a tensor: it goes into tables and messages."""
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= MAX_NAME:
        raise ValueError(f"{shown(name)} is no name of a tensor")


def _places(entries: object, base: int) -> dict[str, TensorPlace]:
    if not isinstance(entries, dict):
        raise ValueError(f"a {type(entries).__name__}, not an object")
    entries.pop("__metadata__", None)
    return {name: _place(name, entry, base) for name, entry in entries.items()}


def _place(name: str, entry: object, base: int) -> TensorPlace:
    check_name(name)
    if not isinstance(entry, Mapping) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name!r} needs dtype, shape and data_offsets, and has {shown(entry)}")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise ValueError(f"tensor {name!r} has dtype {shown(dtype)}; known: {', '.join(_DTYPES)}")
    if not _are_sizes(shape) or len(shape) > _MAX_AXES:
        raise ValueError(f"tensor {name!r} has shape {shown(shape)}")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise ValueError(f"tensor {name!r} has offsets {shown(offsets)}")
    n_bytes = math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
    if offsets[1] - offsets[0] != n_bytes:
        raise ValueError(f"tensor {name!r} needs {n_bytes} bytes, its offsets {offsets} hold {offsets[1] - offsets[0]}")
    return TensorPlace(dtype, tuple(shape), base + offsets[0], base + offsets[1])


def _are_sizes(values: object) -> bool:
    """Whether these are whole numbers that an offset into a file can be."""
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**63 for value in values)


def _check_filled(path: Path, places: Mapping[str, TensorPlace], base: int) -> None:
    """Each tensor begins where another ends: the format knows neither overlaps nor holes."""
    end = base
    for name, place in sorted(places.items(), key=lambda item: (item[1].start, item[1].end)):
        if place.start != end:
            word = "overlaps the tensor before it" if place.start < end else "leaves a hole before it"
            raise DataFault(f"{path.name}: tensor {name!r} {word} (byte {place.start}, expected {end})")
        end = place.end


@contextmanager
def open_tensors(path: Path) -> Iterator["TensorFile"]:
    """Open a safetensors file; tensors are read one by one."""
    places = read_header(path)
    try:
        # A second opinion on the header, of the format's own reader.
        with safe_open(str(path), framework="numpy"):
            yield TensorFile(Path(path), places)
    except SafetensorError as error:
        raise DataFault(f"{Path(path).name}: {Path(path).stat().st_size} bytes, {error}") from error


@dataclass(frozen=True)
class TensorFile:
    """An open safetensors file."""

    path: Path
    places: dict[str, TensorPlace]

    def read(self, name: str) -> np.ndarray:
        """Return a tensor as a NumPy array; bfloat16 becomes float32, which holds it exactly."""
        place = self.places[name]
        dtype = np.dtype(_DTYPES[place.dtype])
        # Read, not mapped: pages of a mapped file would count as the process's memory beside the tensors.
        count = (place.end - place.start) // dtype.itemsize
        array = np.fromfile(self.path, dtype=dtype, offset=place.start, count=count)
        if len(array) != count:
            raise DataFault(f"{self.path.name} was cut off while it was read, at tensor {name!r}")
        if place.dtype == "BF16":  # NumPy has none: its bits are the upper half of a float32
            array = (array.astype(np.uint32) << 16).view(np.float32)
        return array.reshape(place.shape)
