"""Lazy reading of one safetensors file, bfloat16 included, with every inconsistency named."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from rare_neurons.errors import DataFault

_LENGTH_BYTES = 8
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_MAX_HEADER_BYTES = 100_000_000  # the limit of the format's own reader


@dataclass(frozen=True)
class TensorPlace:
    """Where a tensor lies: dtype code of the format, shape, first byte and byte past the end in the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def read_header(path: Path) -> dict[str, TensorPlace]:
    """Read where each tensor lies, and check that the file is as long as its header says.

    Raises
    ------
    DataFault
        If the header is unreadable, or the file is shorter or longer than the header promises.
    """
    path = Path(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if size < _LENGTH_BYTES or length > min(size - _LENGTH_BYTES, _MAX_HEADER_BYTES):
            raise DataFault(f"{path.name}: {size} bytes, no complete safetensors header (truncated or not safetensors)")
        text = file.read(length)
    base = _LENGTH_BYTES + length
    try:
        entries = json.loads(text)
        entries.pop("__metadata__", None)
        places = {
            name: TensorPlace(e["dtype"], tuple(e["shape"]), *(base + int(o) for o in e["data_offsets"]))
            for name, e in entries.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataFault(f"{path.name}: {size} bytes, unreadable safetensors header ({error})") from error
    promised = max((place.end for place in places.values()), default=base)
    if promised != size:
        word = "truncated" if size < promised else "longer than its header says"
        raise DataFault(f"{path.name} is {word}: {size} bytes, its header promises {promised}")
    return places


@contextmanager
def open_tensors(path: Path) -> Iterator["TensorFile"]:
    """Open a safetensors file; tensors are read one by one."""
    places = read_header(path)
    try:
        with safe_open(str(path), framework="numpy") as handle:
            yield TensorFile(Path(path), places, handle)
    except SafetensorError as error:
        raise DataFault(f"{Path(path).name}: {Path(path).stat().st_size} bytes, {error}") from error


@dataclass(frozen=True)
class TensorFile:
    """An open safetensors file."""

    path: Path
    places: dict[str, TensorPlace]
    handle: object

    def read(self, name: str) -> np.ndarray:
        """Return a tensor as a NumPy array; bfloat16 becomes float32, which holds it exactly."""
        place = self.places[name]
        dtype = _DTYPES.get(place.dtype)
        if dtype is None:
            return self.handle.get_tensor(name)
        # Read, not mapped: pages of a mapped file would count as the process's memory beside the tensors.
        count = (place.end - place.start) // np.dtype(dtype).itemsize
        array = np.fromfile(self.path, dtype=dtype, offset=place.start, count=count)
        if place.dtype == "BF16":  # NumPy has none: its bits are the upper half of a float32
            array = (array.astype(np.uint32) << 16).view(np.float32)
        return array.reshape(place.shape)
