"""Fingerprints of weight tensors: distances between any two checkpoints follow without the weights."""

import hashlib
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from rare_neurons.columns import Column

_BLOCK = 1 << 18  # entries projected at a time: bounds memory, and stays in the processor's cache


@dataclass(frozen=True, eq=False)
class TensorFingerprint:
    """What is kept of one weight tensor.

    Attributes
    ----------
    name : str
        Name of the tensor.
    shape : tuple of int
        Its shape.
    norm : float
        Euclidean norm, float64; NaN where an entry is not finite.
    n_nonfinite : int
        Entries that are NaN or infinite.
    sha256 : str
        Hex digest of shape and values. Half-precision values are widened to float32 first, so the same values
        give the same digest whatever file held them; zeros count without their sign.
    projection : ndarray, shape (n_projections,), float64
        Seeded random projection; all NaN where an entry is not finite.
    """

    name: str
    shape: tuple[int, ...]
    norm: float
    n_nonfinite: int
    sha256: str
    projection: np.ndarray


@dataclass(frozen=True)
class FingerprintRow:
    """One tensor of one checkpoint: the columns of a `TensorFingerprint`."""

    tensor: Annotated[str, Column(None, "name of the tensor")]
    shape: Annotated[list[int], Column("entries", "list over its axes: its shape")]
    norm: Annotated[float, Column("weight", "Euclidean norm")]
    n_nonfinite: Annotated[int, Column("entries", "NaN or infinite entries")]
    sha256: Annotated[str, Column(None, "digest of shape and values")]
    projection: Annotated[
        list[float],
        Column("weight", "list: seeded random projection, from which distances between any two steps follow"),
    ]


def fingerprint_tensor(name: str, array: np.ndarray, *, n_projections: int = 64, seed: int = 0) -> TensorFingerprint:
    """Fingerprint one tensor in one pass over its entries.

    Entry i is added with a random sign s(i) to a random bucket h(i) of k (the count sketch of Charikar, Chen &
    Farach-Colton 2004, here as a linear projection): ``y_b = sum over h(i) = b of s(i) x_i``. Signs and buckets
    depend on seed, name, shape and k alone, so they are the same at every step. For the difference x of two steps

        E |y|² = |x|²,      var |y|² = 2/k (|x|⁴ − Σ x_i⁴) ≤ 2/k |x|⁴        (buckets and signs independent),

    a relative standard deviation of at most √(2/k) for one squared distance (0.18 at k = 64), and less for a sum
    over tensors, whose errors are independent.

    Parameters
    ----------
    name : str
        Name of the tensor; part of the projection's seed.
    array : ndarray
        Real values, any shape, not empty.
    n_projections : int
        Buckets k, a power of two up to 32,768. The cost does not depend on it: about 10 ns per entry.
    seed : int
        Seed of the projection.

    Raises
    ------
    ValueError
        If the array is empty or not real, or `n_projections` out of range.
    """
    array = np.asarray(array)
    if array.size == 0 or array.dtype.kind not in "fiub":
        raise ValueError(f"'{name}' has shape {array.shape} and dtype {array.dtype}; a fingerprint needs real entries")
    if not 1 <= n_projections <= 1 << 15 or n_projections & (n_projections - 1):
        raise ValueError(f"n_projections={n_projections}, allowed: powers of two up to {1 << 15} ('{name}')")
    flat = np.ascontiguousarray(array).reshape(-1)
    bits = np.random.Philox(key=_key(name, array.shape, n_projections, seed))
    digest = hashlib.sha256(repr(tuple(array.shape)).encode())
    projection, square, n_nonfinite = np.zeros(n_projections), 0.0, 0
    for start in range(0, flat.size, _BLOCK):
        block = flat[start : start + _BLOCK]
        for part in _canonical(block):
            digest.update(part)
        values = block.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            squares = float(values @ values)
        if not np.isfinite(squares):  # a sum of squares hides no NaN and no infinity
            n_nonfinite += int(values.size - np.count_nonzero(np.isfinite(values)))
        if n_nonfinite == 0:
            square += squares
            projection += _project(values, bits, n_projections)
    if n_nonfinite:
        projection, square = np.full(n_projections, np.nan), np.nan
    shape = tuple(int(extent) for extent in array.shape)
    return TensorFingerprint(name, shape, float(np.sqrt(square)), n_nonfinite, digest.hexdigest(), projection)


def pairwise_distances(projections: np.ndarray) -> np.ndarray:
    """Euclidean distances between checkpoints, estimated from their projections.

    Parameters
    ----------
    projections : ndarray, shape (n_checkpoints, n_tensors, n_projections)
        Projections of the same tensors, with the same seed, at each checkpoint.

    Returns
    -------
    ndarray, shape (n_checkpoints, n_checkpoints), float64
        Zero for equal checkpoints; NaN in rows and columns of checkpoints with an entry that is not finite.
    """
    flat = np.asarray(projections, dtype=np.float64).reshape(len(projections), -1)
    # Differences, not the Gram matrix: near steps would lose all digits to cancellation.
    return np.array([np.sqrt(np.sum((flat - row) ** 2, axis=1)) for row in flat])


def _key(name: str, shape: tuple[int, ...], n_projections: int, seed: int) -> int:
    text = repr((int(seed), name, tuple(int(extent) for extent in shape), int(n_projections)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")


def _project(values: np.ndarray, bits: np.random.Philox, n_projections: int) -> np.ndarray:
    # 16 random bits per entry from the raw stream, which NumPy keeps the same between versions: the upper ones are
    # the bucket, the next one the sign. Two buckets, one per sign, cost a fifth of a multiplication by signs.
    draws = bits.random_raw(-(-values.size // 4)).astype("<u8").view("<u2")[: values.size]
    signed = (draws.astype(np.int64) * (2 * n_projections)) >> 16
    sums = np.bincount(signed, weights=values, minlength=2 * n_projections)
    return sums[0::2] - sums[1::2]


def _canonical(block: np.ndarray) -> tuple[bytes, memoryview]:
    """Dtype and values of a block as they are digested, without a copy where none is needed."""
    if block.dtype == np.float16:
        block = block.astype(np.float32)
    if block.dtype.kind == "f":
        block = block + block.dtype.type(0)  # -0 becomes 0: tools rewrite the sign of zeros
    return block.dtype.str.encode(), block.astype(block.dtype.newbyteorder("<"), copy=False).view(np.uint8).data
