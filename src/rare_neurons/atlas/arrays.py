"""Numbers as a page carries them: typed arrays, compressed, as text."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_KINDS = ("uint8", "int16", "int32", "float16", "float32", "float64")
_LARGEST_HALF = 2.0**15
"""Values are scaled to it, so that nine decades below it keep eleven bits (IEEE 754 binary16)."""


@dataclass(frozen=True)
class Packed:
    """An array as text.

    Attributes
    ----------
    kind : str
        Type of the elements.
    shape : tuple of int
    scale : float
        What elements are multiplied by on reading.
    text : str
        Base64 of the zlib stream of the bytes, little end first; the first bytes of all elements, then the second ones.
    """

    kind: str
    shape: tuple[int, ...]
    scale: float
    text: str

    @property
    def head(self) -> Mapping[str, object]:
        """All but the text."""
        return {"kind": self.kind, "shape": list(self.shape), "scale": self.scale}


def pack(array: np.ndarray, scale: float = 1.0) -> Packed:
    """Pack an array in its own type; booleans and wider integers in the next that a page knows.

    Raises
    ------
    ValueError
        If there is no such type, or an integer does not fit.
    """
    array = np.asarray(array)
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    elif array.dtype.name not in _KINDS and array.dtype.kind in "iu":
        if array.size and (array.min() < -(2**31) or array.max() >= 2**31):
            raise ValueError(f"integers up to {array.max()} do not fit in the 32 bits of a page: pack them as float64")
        array = array.astype(np.int32)
    if array.dtype.name not in _KINDS:
        raise ValueError(f"an array of {array.dtype} cannot be packed; known: {', '.join(_KINDS)}, bool")
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    # Exponents beside exponents compress; between mantissas they do not.
    planes = array.reshape(-1).view(np.uint8).reshape(-1, array.dtype.itemsize).T
    text = base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode("ascii")
    return Packed(array.dtype.name, array.shape, scale, text)


def pack_half(array: np.ndarray) -> Packed:
    """Pack numbers in 16 bits each, to 0.05 % of their size down to 1e-9 of the largest; NaN stays NaN."""
    array = np.asarray(array, dtype=np.float64)
    finite = np.abs(array[np.isfinite(array)])
    largest = finite.max() if finite.size else 0.0
    scale = float(largest / _LARGEST_HALF) or 1.0
    return pack((array / scale).astype(np.float16), scale)


def unpack(packed: Packed) -> np.ndarray:
    """Undo `pack` and `pack_half`, for tests and other readers of a page."""
    kind = np.dtype(packed.kind).newbyteorder("<")
    planes = np.frombuffer(zlib.decompress(base64.b64decode(packed.text)), np.uint8).reshape(kind.itemsize, -1)
    array = np.ascontiguousarray(planes.T).view(kind).reshape(packed.shape)
    return array if packed.scale == 1.0 else array.astype(np.float64) * packed.scale
