"""Numbers as a page carries them: typed arrays, compressed, as text."""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_KINDS = ("uint8", "int16", "int32", "float16", "float32", "float64")
_LARGEST_HALF = 2.0**15
"""Values are scaled to it, so that nine decades below it keep eleven bits (IEEE 754 binary16)."""

_LAST_LEVEL, _ZERO, _NAN = 253, 254, 255


@dataclass(frozen=True)
class Packed:
    """An array as text.

    Attributes
    ----------
    kind : str
        Type of the elements; ``log8``: see `pack_size`.
    shape : tuple of int
    scale : float
        What elements are multiplied by on reading.
    text : str
        Base64 of the zlib stream of the bytes, little end first; the first bytes of all elements, then the second ones.
    ratio : float
        Of ``log8``: logarithm of the ratio of one level to the one below.
    """

    kind: str
    shape: tuple[int, ...]
    scale: float
    text: str
    ratio: float = 0.0

    @property
    def head(self) -> Mapping[str, object]:
        """All but the text."""
        return {"kind": self.kind, "shape": list(self.shape), "scale": self.scale, "ratio": self.ratio}


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
    return Packed(array.dtype.name, array.shape, scale, _text(planes))


def _text(planes: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode("ascii")


def pack_half(array: np.ndarray) -> Packed:
    """Pack numbers in 16 bits each, to 0.05 % of their size down to 1e-9 of the largest; NaN stays NaN."""
    array = np.asarray(array, dtype=np.float64)
    finite = np.abs(array[np.isfinite(array)])
    largest = finite.max() if finite.size else 0.0
    scale = float(largest / _LARGEST_HALF) or 1.0
    return pack((array / scale).astype(np.float16), scale)


def pack_size(array: np.ndarray) -> Packed:
    """Pack sizes, such as standard errors, in 8 bits each: one of 254 levels in equal ratios, or zero, or NaN.

    Over four decades a value is within 2 % of its level.

    Raises
    ------
    ValueError
        If a value is negative.
    """
    array = np.asarray(array, dtype=np.float64)
    known = array[np.isfinite(array) & (array != 0)]
    if known.size and known.min() < 0:
        raise ValueError(f"a size of {known.min():g}, but sizes are at least 0")
    low, high = (known.min(), known.max()) if known.size else (1.0, 1.0)
    ratio = float(np.log(high / low) / _LAST_LEVEL)
    codes = np.full(array.shape, _NAN, dtype=np.uint8)
    codes[array == 0] = _ZERO
    there = np.isfinite(array) & (array > 0)
    codes[there] = np.rint(np.log(array[there] / low) / ratio) if ratio else 0
    return Packed("log8", array.shape, float(low), _text(codes), ratio)


def unpack(packed: Packed) -> np.ndarray:
    """Undo `pack`, `pack_half` and `pack_size`, for tests and other readers of a page."""
    if packed.kind == "log8":
        levels = packed.scale * np.exp(packed.ratio * np.arange(256))
        levels[[_ZERO, _NAN]] = 0, np.nan
        return levels[np.frombuffer(zlib.decompress(base64.b64decode(packed.text)), np.uint8)].reshape(packed.shape)
    kind = np.dtype(packed.kind).newbyteorder("<")
    planes = np.frombuffer(zlib.decompress(base64.b64decode(packed.text)), np.uint8).reshape(kind.itemsize, -1)
    array = np.ascontiguousarray(planes.T).view(kind).reshape(packed.shape)
    return array if packed.scale == 1.0 else array.astype(np.float64) * packed.scale
